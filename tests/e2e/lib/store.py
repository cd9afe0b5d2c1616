"""A store double: keeps objects by name, and misbehaves on demand.

Store(script) answers PUTs by the script's steps, one step a request, then normally. Steps:
  (503, headers)     answer with this status
  "stall"            read nothing and say nothing until the client gives up
  "drop"             read a part of the body, then close the connection
  "lose-reply"       store the object, then close without an answer
Every request is counted; an object that is stored twice is an error that `duplicates` shows.
"""
import http.server
import threading
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, headers=(), body=b""):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        store = self.server.store
        length = int(self.headers["Content-Length"])
        with store.lock:
            store.requests.append((time.monotonic(), self.path, dict(self.headers)))
            step = store.script.pop(0) if store.script else store.default
        if step == "stall":
            store.released.wait(20)
            self.close_connection = True
            return
        if step == "drop":
            self.rfile.read(min(length, 64))
            self.close_connection = True
            return
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        if isinstance(step, tuple):
            self.answer(step[0], step[1], b"as the test wants it\x1b[31m\n")
            return
        name = self.path.lstrip("/")
        with store.lock:
            is_there = name in store.objects
            if is_there and self.headers.get("If-None-Match") == "*":
                status = 412
            else:
                if is_there:
                    store.duplicates.append(name)
                store.objects[name] = body
                status = 201
        if step == "lose-reply":
            self.close_connection = True
            return
        self.answer(status)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


class Store:
    def __init__(self, script=(), default=None, port=0, tls=None):
        self.lock = threading.Lock()
        self.released = threading.Event()
        self.objects = {}
        self.duplicates = []
        self.requests = []
        self.script = list(script)
        self.default = default
        self.server = Server(("127.0.0.1", port), Handler)
        self.server.store = self
        self.port = self.server.server_address[1]
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.url = "http://127.0.0.1:%d/crashes" % self.port
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
