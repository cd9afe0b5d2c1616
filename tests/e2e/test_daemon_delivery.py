#!/usr/bin/env python3
"""coresnapd: every crash reaches the store exactly once, whatever store and machine do."""
import email.utils
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from bench import Bench, equal, main  # noqa: E402


def crash_is_uploaded():
    with Bench() as bench:
        bench.executable("renamed")
        bench.core("one")
        bench.start()
        bench.until_objects(1)
        bench.until_idle()
        _, path, headers = bench.store.requests[0]
        equal(path.startswith("/crashes/") and path.endswith(".json"), True, "the object's name")
        equal(headers["Content-Encoding"], "zstd", "encoding")
        equal(headers["Content-Type"], "application/json", "type")
        equal(headers["If-None-Match"], "*", "condition")
        equal(os.path.exists(bench.path("cores/core.one")), True, "the core is still there")
        wanted = ("crash: app (pid 7) SIGABRT go1.26.8: panic: \\\"boom\\\" in main.handler, "
                  "51 goroutines -> ")
        equal(wanted in bench.log(), True, "the line of the crash is in the log")
        equal(bench.stop(), 0, "exit status")
        for directory, _, files in os.walk(bench.path("spool")):
            equal(os.stat(directory).st_mode & 0o777, 0o700, directory)
            for name in files:
                equal(os.stat(os.path.join(directory, name)).st_mode & 0o777, 0o600, name)


def two_refusals_a_kill_and_a_restart():
    """Issue 3, "Done when"."""
    with Bench([(503, []), (503, [])]) as bench:
        bench.executable("app")
        bench.start("--retry-min", "500ms")
        bench.core("one")
        bench.until(lambda: len(bench.store.requests) >= 1, "the store was asked")
        bench.kill()
        bench.start("--retry-min", "500ms")
        bench.until_objects(1)
        bench.until_idle()
        bench.kill()
        bench.start()
        bench.core("two")
        bench.until_objects(2)
        bench.until_idle()
        equal(len(bench.store.requests), 4, "requests")
        equal(bench.store.duplicates, [], "duplicates")
        equal(bench.runs(), ["one", "two"], "analyses")


def hostile_store():
    """Each step of the script is one failed attempt of the one crash."""
    script = ["stall", "drop", (500, []), (425, []), (408, []), (302, [("Location", "/elsewhere")]),
              "lose-reply"]
    with Bench(script) as bench:
        bench.executable("app")
        bench.start()
        bench.core("one", behaviour="big")
        bench.until(lambda: len(bench.store.requests) >= 8, "eight attempts were made", 25)
        bench.until_idle()
        equal(len(bench.store.requests), 8, "requests")
        equal(len(bench.store.objects), 1, "objects")
        equal(bench.store.duplicates, [], "duplicates")
        equal("was at" in bench.log(), True, "the lost reply is recognized")
        equal({path for _, path, _ in bench.store.requests},
              {bench.store.requests[0][1]}, "one name only")


def retry_after_wins():
    for is_date, least in ((False, 2.0), (True, 1.0)):
        with Bench() as bench:
            bench.executable("app")
            bench.start()
            bench.until(lambda: bench.log_has("app is known"), "the executable is known")
            value = email.utils.formatdate(time.time() + 3, usegmt=True) if is_date else "2"
            bench.store.script = [(429, [("Retry-After", value)])]
            bench.core("one")
            bench.until_objects(1)
            times = [when for when, _, _ in bench.store.requests]
            equal(times[1] - times[0] >= least, True, "waited for Retry-After: " + value)


def refused_is_parked():
    with Bench([(403, [])]) as bench:
        bench.executable("app")
        bench.core("one")
        bench.start()
        bench.until(lambda: len(bench.spool("failed")) == 2, "the snapshot is parked")
        equal(bench.spool("queue"), [], "queue")
        name = [name for name in bench.spool("failed") if "reason" in name][0]
        with open(bench.path("spool/failed", name), encoding="utf-8") as file:
            reason = file.read()
        equal('"status": 403' in reason and "as the test wants it?[31m" in reason, True, reason)
        bench.core("two")
        bench.until_objects(1)
        bench.kill()
        bench.start()
        bench.core("three")
        bench.until_objects(2)
        equal(len(bench.store.requests), 3, "a refused snapshot is not sent again")


def store_is_down():
    with Bench() as bench:
        port = bench.store.port
        bench.store.close()
        # Bound and not listening: connections are refused, and no one else is given the port.
        with socket.socket() as holder:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            holder.bind(("127.0.0.1", port))
            bench.executable("app")
            bench.core("one")
            bench.core("two")
            bench.start()
            bench.until(lambda: "next try" in bench.log(), "an attempt failed")
        bench.store.__init__(port=port)
        bench.until_objects(2)
        bench.until_idle()


def many_crashes():
    with Bench() as bench:
        bench.executable("app")
        for i in range(20):
            bench.core("before-%d" % i)
        bench.start("--jobs", "2")
        for i in range(20):
            bench.core("after-%d" % i)
        bench.until_objects(40, 28)
        bench.until_idle()
        equal(len(bench.store.requests), 40, "requests")
        equal(sorted(bench.runs()), sorted(set(bench.runs())), "each was analysed once")


def token_is_sent_and_not_shown():
    with Bench() as bench:
        with open(bench.path("token"), "w", encoding="ascii") as file:
            file.write("s3cret\n")
        bench.executable("app")
        bench.core("one")
        bench.start("--upload-token", bench.path("token"))
        bench.until_objects(1)
        equal(bench.store.requests[0][2]["Authorization"], "Bearer s3cret", "authorization")
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as file:
                    equal(b"s3cret" in file.read(), False, "the token is in a command line")
            except (FileNotFoundError, ProcessLookupError):
                pass
        equal("s3cret" in bench.log(), False, "the token is in the log")


def certificate(bench):
    """A key and certificate for localhost, by the openssl command; None where there is none."""
    if not shutil.which("openssl"):
        return None
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                    "-keyout", bench.path("key.pem"), "-out", bench.path("cert.pem")],
                   check=True, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bench.path("cert.pem"), bench.path("key.pem"))
    return context


def tls_is_verified():
    with Bench() as bench:
        context = certificate(bench)
        if not context:
            print("no openssl command: no TLS test")
            return
        bench.store.close()
        bench.store.__init__(tls=context)
        bench.store.url = "https://localhost:%d/crashes" % bench.store.port
        bench.executable("app")
        bench.core("one")
        bench.start()
        bench.until(lambda: bench.log_has("next try"), "the unknown certificate is refused")
        equal(bench.store.requests, [], "requests")
        bench.kill()
        bench.start("--ca-file", bench.path("cert.pem"))
        bench.until_objects(1)
        bench.until_idle()


def uploader_has_no_rights():
    with Bench() as bench:
        bench.start()
        children = [pid for pid in filter(str.isdigit, os.listdir("/proc"))
                    if parent_of(pid) == bench.daemon.pid]
        equal(len(children), 1, "children at rest")
        bench.until(lambda: int(status_of(children[0])["CapEff"], 16) == 0, "it has confined itself")
        equal(int(status_of(children[0])["CapPrm"], 16), 0, "capabilities")
        equal(status_of(children[0])["NoNewPrivs"], "1", "no new privileges")
        try:
            names = {os.path.basename(os.readlink("/proc/%s/fd/%s" % (children[0], fd)))
                     for fd in os.listdir("/proc/%s/fd" % children[0])}
        except PermissionError:
            print("     its descriptors stay unseen: it is not dumpable, only root may look")
            return
        equal({name for name in names if not name.startswith(("pipe:", "socket:", "anon_inode"))},
              {"null", "log", "queue", "failed"}, "descriptors")


def status_of(pid):
    with open("/proc/%s/status" % pid, encoding="ascii") as file:
        return dict(line.split(":\t", 1) for line in file.read().splitlines())


def parent_of(pid):
    try:
        with open("/proc/%s/stat" % pid, encoding="latin-1") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


TESTS = [tls_is_verified, uploader_has_no_rights, crash_is_uploaded, two_refusals_a_kill_and_a_restart, hostile_store, retry_after_wins,
         refused_is_parked, store_is_down, many_crashes, token_is_sent_and_not_shown]

if __name__ == "__main__":
    main(TESTS)
