"""A debuginfod on loopback that answers as it is told, well or badly, and counts who asks."""
import contextlib
import http.server
import threading

CHUNK = b"\x7fELF" + bytes(65532)


class Server:
    """`files`: path of a request -> bytes, or a function(handler) that misbehaves."""

    def __init__(self, files):
        self.files, self.asked, self.ended = files, [], threading.Event()
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"

    def _handler(self):
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802
                server.asked.append(self.path)
                answer = server.files.get(self.path)
                with contextlib.suppress(OSError):
                    if callable(answer):
                        answer(self, server)
                    elif answer is None:
                        self.send_error(404)
                    else:
                        self.send_response(200)
                        self.send_header("Content-Length", str(len(answer)))
                        self.end_headers()
                        self.wfile.write(answer)

            def log_message(self, *_):
                pass

        return Handler


def stall(_, server):
    """Takes the question and never answers."""
    server.ended.wait(60)


def trickle(handler, server):
    """A byte now and then, for ever."""
    handler.send_response(200)
    handler.end_headers()
    while not server.ended.wait(0.2):
        handler.wfile.write(b"x")
        handler.wfile.flush()


def endless(handler, server):
    """Tells no size and never stops."""
    handler.send_response(200)
    handler.end_headers()
    while not server.ended.is_set():
        handler.wfile.write(CHUNK)


def huge(handler, _):
    """Says that far too much will come."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(10 << 30))
    handler.end_headers()
    handler.wfile.write(CHUNK)


def leads_to_a_file(handler, _):
    """Sends the asker to one of its own files."""
    handler.send_response(302)
    handler.send_header("Location", "file:///proc/self/exe")
    handler.end_headers()


@contextlib.contextmanager
def serving(files):
    server = Server(files)
    thread = threading.Thread(target=server.http.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.http.shutdown()
        thread.join()
        server.http.server_close()
