#!/usr/bin/env python3
"""coresnap-server from outside: objects in and out, refusals, pages, restarts."""

import base64
import concurrent.futures
import html.parser
import http.client
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import snapshots  # noqa: E402

PROGRAM = os.path.join(os.environ.get("BUILD", "build"), "coresnap-server")


class Server:
    def __init__(self, data, *options, listen="127.0.0.1:0"):
        self.process = subprocess.Popen(
            [PROGRAM, "--data", data, "--listen", listen, *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        match = re.fullmatch(r"listening on http://127\.0\.0\.1:(\d+)\n", line)
        if not match:
            raise AssertionError(f"no address: {line!r} {self.process.communicate()[1]}")
        self.port = int(match.group(1))

    def request(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, names)
        answer = connection.getresponse()
        answer.body = answer.read()
        connection.close()
        return answer

    def put(self, path, body, **headers):
        return self.request("PUT", path, body, **headers)

    def get(self, path, **headers):
        return self.request("GET", path, **headers)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.errors = self.process.communicate(timeout=60)[1]
        return self.process.returncode


def files_below(path):
    return sorted(os.path.relpath(os.path.join(at, name), path)
                  for at, _, names in os.walk(path) for name in names)


def pack(content, *options):
    return subprocess.run(["zstd", "-q", "-c", *options], input=content, stdout=subprocess.PIPE,
                          check=True).stdout


class Page(html.parser.HTMLParser):
    """What a page says and where it leads; complains of what is not closed."""

    VOID = {"meta", "link", "input", "br"}

    def __init__(self, answer):
        super().__init__(convert_charrefs=True)
        self.open, self.links, self.text, self.tags = [], [], "", []
        self.feed(answer.body.decode())
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), name
            if name in ("href", "src"):
                self.links.append(value)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data


class ServerCase(unittest.TestCase):
    options = ()

    def setUp(self):
        self.data = tempfile.mkdtemp(prefix="coresnap-server-")
        self.server = Server(self.data, *self.options)

    def tearDown(self):
        if self.server.process.poll() is None:
            self.assertEqual(self.server.stop(), 0, "the server stops by itself")
        shutil.rmtree(self.data)

    def objects(self):
        return files_below(os.path.join(self.data, "objects"))

    def restart(self):
        self.assertEqual(self.server.stop(), 0)
        self.server = Server(self.data, *self.options)


class Objects(ServerCase):
    def test_put_get_head(self):
        body = snapshots.encode(snapshots.snapshot("a"))
        self.assertEqual(self.server.put("/prod/eu/a.json", body).status, 201)
        answer = self.server.get("/prod/eu/a.json")
        self.assertEqual((answer.status, answer.body), (200, body))
        self.assertEqual(answer.getheader("Content-Type"), "application/json")
        self.assertEqual(answer.getheader("X-Content-Type-Options"), "nosniff")
        head = self.server.request("HEAD", "/prod/eu/a.json")
        self.assertEqual((head.status, head.body), (200, b""))
        self.assertEqual(head.getheader("Content-Length"), str(len(body)))
        self.assertEqual(head.getheader("ETag"), answer.getheader("ETag"))
        again = self.server.get("/prod/eu/a.json", If_None_Match=answer.getheader("ETag"))
        self.assertEqual((again.status, again.body), (304, b""))
        self.assertEqual(self.server.get("/prod/eu/b.json").status, 404)
        self.assertEqual(self.server.request("DELETE", "/prod/eu/a.json").status, 405)
        for path in (self.data, os.path.join(self.data, "objects", "prod", "eu")):
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o700)
        path = os.path.join(self.data, "objects", "prod", "eu", "a.json")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)

    def test_a_key_keeps_its_content(self):
        body = snapshots.encode(snapshots.snapshot("a"))
        other = snapshots.encode(snapshots.snapshot("a", title="panic: other"))
        self.assertEqual(self.server.put("/a.json", body).status, 201)
        self.assertEqual(self.server.put("/a.json", body).status, 200)
        self.assertEqual(self.server.put("/a.json", pack(body), Content_Encoding="zstd").status,
                         200)
        self.assertEqual(self.server.put("/a.json", other).status, 409)
        self.assertEqual(self.server.put("/a.json", body, If_None_Match="*").status, 412)
        self.assertEqual(self.server.get("/a.json").body, body)
        self.assertEqual(self.objects(), ["a.json"])
        self.assertEqual(self.server.put("/a.json/b.json", body).status, 409)
        self.assertEqual(self.server.put("/c.d/e.json", body).status, 201)
        self.assertEqual(self.server.put("/c.d", b"x").status, 409)

    def test_compressed(self):
        body = snapshots.encode(snapshots.snapshot("a", count=2000))
        packed = pack(body)
        self.assertEqual(self.server.put("/a.json", packed, Content_Encoding="zstd").status, 201)
        plain = self.server.get("/a.json")
        self.assertEqual((plain.body == body, plain.getheader("Content-Encoding")), (True, None))
        answer = self.server.get("/a.json", Accept_Encoding="gzip, zstd;q=0.5")
        self.assertEqual((answer.body == packed, answer.getheader("Content-Encoding")),
                         (True, "zstd"))
        self.assertNotEqual(answer.getheader("ETag"), plain.getheader("ETag"))
        self.assertEqual(self.server.get("/a.json", Accept_Encoding="zstd;q=0").body, body)
        self.assertEqual(self.objects(), ["a.json+zstd"])
        self.assertEqual(self.server.put("/a.json", body).status, 200)
        for broken in (packed[:-5], b"plain", b"", packed + b"x"):
            answer = self.server.put("/b.json", broken, Content_Encoding="zstd")
            self.assertEqual(answer.status, 400, answer.body)
        self.assertEqual(self.server.put("/b.json", body, Content_Encoding="gzip").status, 415)
        self.assertEqual(self.objects(), ["a.json+zstd"])

    def test_attachments_are_kept_as_they_are(self):
        content = os.urandom(300000)
        self.assertEqual(self.server.put("/p/a.trace", content).status, 201)
        answer = self.server.get("/p/a.trace")
        self.assertEqual(answer.body, content)
        self.assertEqual(answer.getheader("Content-Type"), "application/octet-stream")
        self.assertEqual(self.server.put("/p/b.pprof", b"", ).status, 201)
        self.assertEqual(json.loads(self.server.get("/api/snapshots").body)["snapshots"], [])

    def test_what_is_no_snapshot_is_refused(self):
        good = snapshots.snapshot("a")
        cases = [b"", b"{}", b"[]", b"not json", b"\xff\xfe", snapshots.encode(good)[:-1],
                 snapshots.encode(dict(good, schema="coresnap.snapshot/999")),
                 snapshots.encode(dict(good, id="../../etc")),
                 snapshots.encode(dict(good, id="")),
                 snapshots.encode(dict(good, crash=None)), b"[" * 100000]
        for body in cases:
            answer = self.server.put("/a.json", body)
            self.assertEqual(answer.status, 422, (body[:60], answer.body))
            self.assertEqual(answer.body.count(b"\n"), 1)
        self.assertEqual(self.objects(), [])
        self.assertEqual(files_below(os.path.join(self.data, "tmp")), [])

    def test_bad_keys(self):
        body = snapshots.encode(snapshots.snapshot("a"))
        for key in ("/../a.json", "/a/../../b.json", "/%2e%2e/a.json", "/a//b.json", "//a.json",
                    "/.a.json", "/a/.b/c.json", "/a", "/", "/a.json/", "/a%00.json", "/a.json%00",
                    "/a%0ab.json", "/a+zstd.json", "/%c3%a4.json", "/a b.json".replace(" ", "%20"),
                    "/" + "a" * 250 + ".json", "/" + "a/" * 600 + "b.json"):
            self.assertEqual(self.server.put(key, body).status, 400, key)
            self.assertIn(self.server.get(key).status, (200,) if key == "/" else (404,), key)
        self.assertEqual(self.objects(), [])

    def test_truncated_upload_leaves_nothing(self):
        body = snapshots.encode(snapshots.snapshot("a"))
        for cut in (0, 1, len(body) // 2, len(body) - 1):
            with socket.create_connection(("127.0.0.1", self.server.port)) as s:
                s.sendall(b"PUT /a.json HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
                          % len(body) + body[:cut])
        with socket.create_connection(("127.0.0.1", self.server.port)) as s:
            s.sendall(b"PUT /a.json HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked"
                      b"\r\n\r\n%x\r\n%s\r\n" % (len(body), body))
        deadline = time.monotonic() + 10
        while files_below(os.path.join(self.data, "tmp")) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(files_below(os.path.join(self.data, "tmp")), [])
        self.assertEqual(self.objects(), [])
        self.assertEqual(self.server.put("/a.json", iter([body[:100], body[100:]])).status, 201)
        self.assertEqual(self.server.get("/a.json").body, body)

    def test_expect_is_answered_before_the_body(self):
        body = snapshots.encode(snapshots.snapshot("a"))
        self.assertEqual(self.server.put("/a.json", body).status, 201)
        for header, status in (("If-None-Match: *", b"412"), ("Content-Length: 99999999999", b"413")):
            length = b"" if "Length" in header else b"Content-Length: 1000\r\n"
            with socket.create_connection(("127.0.0.1", self.server.port)) as s:
                s.settimeout(10)
                s.sendall(b"PUT /a.json HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                          + length + header.encode() + b"\r\n\r\n")
                self.assertTrue(s.recv(4096).startswith(b"HTTP/1.1 " + status), header)

    def test_one_of_many_equal_uploads_wins(self):
        bodies = [snapshots.encode(snapshots.snapshot("a", title=f"panic: {i % 2}"))
                  for i in range(24)]
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            status = list(pool.map(lambda b: self.server.put("/a.json", b).status, bodies))
        self.assertEqual(status.count(201), 1, status)
        self.assertEqual(status.count(200), 11, status)
        self.assertEqual(status.count(409), 12, status)
        self.assertEqual(self.objects(), ["a.json"])
        self.assertEqual(len(json.loads(self.server.get("/api/snapshots").body)["snapshots"]), 1)

    def test_killed_in_the_middle(self):
        body = snapshots.encode(snapshots.snapshot("a"))
        self.server.put("/kept.json", body)
        s = socket.create_connection(("127.0.0.1", self.server.port))
        s.sendall(b"PUT /a.json HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
                  % len(body) + body[:-1])
        deadline = time.monotonic() + 10
        while not files_below(os.path.join(self.data, "tmp")) and time.monotonic() < deadline:
            time.sleep(0.02)
        self.server.stop(signal.SIGKILL)
        s.close()
        self.server = Server(self.data)
        self.assertEqual(self.objects(), ["kept.json"])
        self.assertEqual(files_below(os.path.join(self.data, "tmp")), [])
        self.assertEqual(self.server.put("/a.json", body).status, 201)

    def test_a_server_without_its_nursery_ends(self):
        with open(f"/proc/{self.server.process.pid}/task/{self.server.process.pid}/children",
                  encoding="ascii") as file:
            nursery = int(file.read())
        os.kill(nursery, signal.SIGKILL)
        self.assertEqual(self.server.process.wait(timeout=30), 1)
        self.server.process.communicate()

    def test_a_trickle_is_cut(self):
        begin = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.server.port)) as s:
            with self.assertRaises(OSError):
                while time.monotonic() - begin < 60:
                    s.sendall(b"GET / HTTP/1.1\r\n" if time.monotonic() - begin < 0.5 else b"X: y\r\n")
                    time.sleep(0.6)
        self.assertLess(time.monotonic() - begin, 40)

    def test_hosts_of_other_names_are_refused(self):
        self.assertEqual(self.server.get("/", Host="evil.example").status, 421)
        self.assertEqual(self.server.get("/", Host="localhost:1").status, 200)


class SmallObjects(ServerCase):
    options = ("--max-object", "100K")

    def test_limits(self):
        big = os.urandom(200000)
        self.assertEqual(self.server.put("/a.bin", big).status, 413)
        self.assertEqual(self.server.put("/a.bin", iter([big])).status, 413)
        self.assertEqual(self.server.put("/a.bin", big[:102400]).status, 201)
        bomb = pack(b"\0" * 50_000_000)
        self.assertLess(len(bomb), 100000)
        self.assertEqual(self.server.put("/b.bin", bomb, Content_Encoding="zstd").status, 413)
        self.assertEqual(self.objects(), ["a.bin"])
        self.assertEqual(files_below(os.path.join(self.data, "tmp")), [])


class Token(unittest.TestCase):
    TOKEN = "correct-horse-battery"

    def test_token(self):
        with tempfile.TemporaryDirectory() as root:
            path = os.path.join(root, "token")
            with open(path, "w", encoding="ascii") as file:
                file.write(self.TOKEN + "\n")
            data = os.path.join(root, "data")
            refused = subprocess.run([PROGRAM, "--data", data, "--listen", "0.0.0.0:0"],
                                     capture_output=True, text=True, timeout=20, check=False)
            self.assertEqual(refused.returncode, 1)
            self.assertEqual(refused.stderr.count("\n"), 1)
            self.assertIn("--token-file", refused.stderr)
            server = Server(data, "--token-file", path)
            body = snapshots.encode(snapshots.snapshot("a"))
            basic = base64.b64encode(f"me:{self.TOKEN}".encode()).decode()
            for value in (None, "Bearer wrong", "Bearer ", "Basic !!!", "Basic " + basic[:-4]):
                headers = {"Authorization": value} if value else {}
                self.assertEqual(server.put("/a.json", body, **headers).status, 401, value)
                answer = server.get("/", **headers)
                self.assertEqual(answer.status, 401)
                self.assertIn("Basic", answer.getheader("WWW-Authenticate"))
            bearer = {"Authorization": "Bearer " + self.TOKEN}
            self.assertEqual(server.put("/a.json", body, **bearer).status, 201)
            self.assertEqual(server.get("/a.json").status, 401)
            self.assertEqual(server.get("/", Authorization="Basic " + basic).status, 200)
            self.assertEqual(server.get("/healthz").body, b"ok\n")
            self.assertEqual(server.stop(), 0)
            self.assertNotIn(self.TOKEN, server.errors)


class Pages(ServerCase):
    def page(self, path):
        answer = self.server.get(path)
        self.assertEqual(answer.status, 200, path)
        self.assertEqual(answer.getheader("Content-Type"), "text/html; charset=utf-8")
        self.assertIn("default-src 'none'", answer.getheader("Content-Security-Policy"))
        return Page(answer)

    def test_pages_say_what_the_snapshot_holds(self):
        document = snapshots.snapshot("a", count=50)
        self.server.put("/p/a.json", pack(snapshots.encode(document)), Content_Encoding="zstd")
        page = self.page("/")
        for word in ("panic: boom in main.handler", "web-17", "checkout", "go1.26.8", "50",
                     "SIGABRT"):
            self.assertIn(word, page.text)
        base = "/snapshots/" + document["id"]
        page = self.page(base)
        for word in ("boom: 42", "d1", "main.handler", "main.go:42", "chan receive",
                     "2h 5m", "4242", "truncated-core", "0xc00009e060", "v1.2.3"):
            self.assertIn(word, page.text)
        page = self.page(base + "/goroutines/7")
        for word in ("goroutine 7", "waiting: chan receive, 2m 0s", "main.worker", "worker.go:17",
                     "receive channel 0xc00009e060"):
            self.assertIn(word, page.text)
        self.assertIn("label request", self.page(base + "/goroutines/1").text)
        page = self.page(base + "/groups/1")
        self.assertEqual([l.rsplit("/", 1)[1] for l in page.links if "/goroutines/" in l],
                         ["10", "20", "30", "40", "50"])
        for path in ("/goroutines/51", "/groups/9", "/goroutines/x", "/goroutines/-1",
                     "/groups/1/2", "/goroutines/99999999999999999999"):
            self.assertEqual(self.server.get(base + path).status, 404, path)
        self.assertEqual(self.server.get("/snapshots/" + "0" * 32).status, 404)

    def test_summary(self):
        document = snapshots.snapshot("a", count=1000)
        self.server.put("/a.json", snapshots.encode(document))
        base = "/snapshots/" + document["id"]
        answer = self.server.get(base + ".txt")
        self.assertEqual(answer.getheader("Content-Type"), "text/plain; charset=utf-8")
        self.assertEqual(self.server.get(base, Accept="text/plain").body, answer.body)
        lines = answer.body.decode().splitlines()
        self.assertEqual(lines[0], "panic: boom in main.handler")
        self.assertIn("goroutine 1 [running]:", lines)
        self.assertIn("1000 goroutines in 3 groups", lines)
        self.assertTrue(any(l.split()[:4] == ["899", "waiting,", "chan", "receive,"]
                            for l in lines), lines)
        self.assertTrue(10 <= len(lines) <= 30)
        self.assertEqual(self.server.get(base + ".json").body, snapshots.encode(document))

    def test_what_could_not_be_recovered_is_not_made_up(self):
        document = snapshots.snapshot("a", goroutine=None, kind=None, message=None, blamed=[],
                                      fingerprint=None, title="SIGABRT in checkout", thread=4243)
        document.update(goroutines=[], goroutines_total=None, groups=[])
        document["binary"] = dict.fromkeys(document["binary"])
        self.assertEqual(self.server.put("/a.json", snapshots.encode(document)).status, 201)
        row = json.loads(self.server.get("/api/snapshots").body)["snapshots"][0]
        self.assertEqual((row["goroutines"], row["go_version"], row["kind"]), (None, None, None))
        base = "/snapshots/" + document["id"]
        text = self.server.get(base + ".txt").body.decode()
        self.assertIn("thread 4243:\n    runtime.futex", text)
        self.assertIn("no goroutine could be recovered", text)
        self.assertIn("Crashing thread 4243", self.page(base).text)

    def test_every_link_leads_somewhere(self):
        for i in range(60):
            document = snapshots.snapshot(f"s{i}", count=700 if i == 59 else 5)
            self.server.put(f"/x/{i}.json", snapshots.encode(document))
        seen, todo = set(), ["/"]
        while todo:
            path = todo.pop()
            if path in seen or path.startswith("data:"):
                continue
            seen.add(path)
            answer = self.server.get(path)
            self.assertEqual(answer.status, 200, path)
            if answer.getheader("Content-Type").startswith("text/html") and len(seen) < 1500:
                todo += Page(answer).links
        self.assertEqual(sum(1 for path in seen if re.fullmatch("/snapshots/[0-9a-f]{32}", path)),
                         60)
        self.assertTrue(any("groups/0?after=500" in path for path in seen))

    def test_list_pages_and_search(self):
        for i in range(120):
            document = snapshots.snapshot(f"s{i}", count=2, title=f"panic: number {i} 100%_done")
            self.server.put(f"/x/{i}.json", snapshots.encode(document))
        numbers, path = [], "/api/snapshots"
        while path:
            answer = json.loads(self.server.get(path).body)
            self.assertLessEqual(len(answer["snapshots"]), 50)
            numbers += [int(row["title"].split()[2]) for row in answer["snapshots"]]
            path = answer["next"] and "/api/snapshots?after=" + answer["next"]
        self.assertEqual(numbers, list(range(119, -1, -1)))
        for search, count in (("number+77+", 1), ("NUMBER", 50), ("web-17", 50), ("nothing", 0),
                              ("%25_", 50), ("%25x", 0), ("'%3B--", 0)):
            rows = json.loads(self.server.get("/api/snapshots?q=" + search).body)["snapshots"]
            self.assertEqual(len(rows), count, search)
        self.assertIn("No snapshot matches", self.page("/?q=nothing").text)
        for after in ("x", "1", "-1,a.json", "1,../a.json", "99999999999999999999,a.json"):
            self.assertEqual(self.server.get("/?after=" + after).status, 400, after)

    def test_hostile_texts_are_shown_not_obeyed(self):
        evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;\x00\u202e"
        document = snapshots.snapshot("a", title=evil, message=evil, kind=evil, fingerprint=evil)
        document["host"]["hostname"] = evil
        document["process"]["executable"] = evil
        document["binary"]["go_version"] = evil
        document["groups"][0]["wait_reason"] = evil
        document["goroutines"][1]["wait_reason"] = evil
        document["goroutines"][1]["labels"] = {evil.replace("\0", ""): evil}
        document["frames"] = [dict(f, function=evil, file=evil) for f in document["frames"]]
        document["diagnostics"][0].update(message=evil, code=evil, severity=evil)
        document["captured_at"] = evil
        self.assertEqual(self.server.put("/a.json", snapshots.encode(document)).status, 201)
        base = "/snapshots/" + document["id"]
        for path in ("/", "/?q=%3Cscript%3E", base, base + "/goroutines/2", base + "/groups/0"):
            page = self.page(path)
            self.assertIn("<script>alert(1)</script>", page.text)
            self.assertNotIn("script", page.tags)
            self.assertNotIn("img", page.tags)
            self.assertNotIn("\u202e", page.text)
        self.assertNotIn(b"\0", self.server.get(base + ".txt").body)

    def test_rows_of_the_wrong_shape_do_not_hurt(self):
        for i, wrong in enumerate((None, 7, "x", [], [[]], [None], {}, [{"id": 1}], [{"stack": -1}],
                                   [{"stack": 99999, "examples": [[], -5], "id": 1.5}])):
            document = snapshots.snapshot(f"w{i}")
            for name in ("frames", "stacks", "groups", "threads", "channels", "diagnostics"):
                document[name] = wrong
            self.assertEqual(self.server.put(f"/{i}.json", snapshots.encode(document)).status, 201)
            base = "/snapshots/" + document["id"]
            for path in (base, base + "/goroutines/1", base + ".txt"):
                self.assertEqual(self.server.get(path).status, 200, (wrong, path))
            self.assertIn(self.server.get(base + "/groups/0").status, (200, 404))


class Catalog(ServerCase):
    def listed(self):
        return self.server.get("/api/snapshots").body

    def fill(self):
        for i in range(7):
            body = snapshots.encode(snapshots.snapshot(f"s{i}", title=f"panic: {i}"))
            if i % 2:
                self.server.put(f"/p/{i}.json", pack(body), Content_Encoding="zstd")
            else:
                self.server.put(f"/p/{i}.json", body)
        return self.listed()

    def test_reindex_gives_the_same_list(self):
        before = self.fill()
        self.assertEqual(self.server.stop(), 0)
        result = subprocess.run([PROGRAM, "--data", self.data, "--reindex"], capture_output=True,
                                text=True, timeout=60, check=True)
        self.assertIn("7 snapshots", result.stderr)
        self.server = Server(self.data)
        self.assertEqual(self.listed(), before)

    def test_a_lost_or_broken_list_is_made_again(self):
        before = self.fill()
        self.assertEqual(self.server.stop(), 0)
        path = os.path.join(self.data, "catalog.sqlite")
        os.unlink(path)
        self.server = Server(self.data)
        self.assertEqual(self.listed(), before)
        self.assertEqual(self.server.stop(), 0)
        with open(path, "wb") as file:
            file.write(os.urandom(20000))
        self.server = Server(self.data)
        self.assertEqual(self.listed(), before)
        self.assertEqual(self.server.stop(), 0)
        self.assertEqual(self.server.errors.count("catalog.sqlite.old"), 1)
        self.assertTrue(os.path.exists(path + ".old"))
        self.server = Server(self.data)

    def test_objects_that_went_leave_the_list(self):
        self.fill()
        os.unlink(os.path.join(self.data, "objects", "p", "2.json"))
        base = "/snapshots/" + snapshots.snapshot("s2")["id"]
        self.assertEqual(self.server.get(base).status, 404)
        self.restart()
        self.assertEqual(len(json.loads(self.listed())["snapshots"]), 6)

    def test_one_server_a_directory(self):
        second = subprocess.run([PROGRAM, "--data", self.data, "--listen", "127.0.0.1:0"],
                                capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(second.returncode, 1)
        self.assertEqual(second.stderr.count("\n"), 1)
        self.assertIn("another coresnap-server", second.stderr)


class CommandLine(unittest.TestCase):
    def test_usage(self):
        for arguments, status in ((["--help"], 0), (["--version"], 0), ([], 2), (["--data"], 2),
                                  (["--bogus", "--data", "/nonexistent"], 2),
                                  (["--data", "/nonexistent/x"], 1),
                                  (["--data", "x", "--max-object", "12Q"], 2)):
            with tempfile.TemporaryDirectory() as cwd:
                done = subprocess.run([os.path.abspath(PROGRAM), *arguments], capture_output=True,
                                      text=True, timeout=20, check=False, cwd=cwd)
            self.assertEqual(done.returncode, status, (arguments, done.stderr))
            self.assertEqual(done.stderr.count("\n"), 1 if status else 0)


if __name__ == "__main__":
    unittest.main()
