"""Crashes of real Go servers, built from public modules, while clients are connected to them.

crash_of(name) builds the server with `go install` once, starts it on loopback, connects, aborts it,
and gives (executable, core), kept under build/crashes/servers.
"""
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import crash

CLIENTS = 200
DIRECTORY = crash.CACHE / "servers"


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _nats(port, _):
    return ["-a", "127.0.0.1", "-p", str(port)], [
        b'CONNECT {"verbose":false,"lang":"c","version":"1","name":"client"}\r\nSUB orders.* 1\r\nPING\r\n']


def _versitygw(port, directory):
    return ["--access", "someone", "--secret", "something", "--port", f"127.0.0.1:{port}", "posix", directory], [
        b"GET /bucket HTTP/1.1\r\nHost: localhost\r\n\r\n", b"PUT /bucket/object HTTP/1.1\r\nHost: localhost\r\nContent-Le"]


def _caddy(port, directory):
    return ["file-server", "--listen", f"127.0.0.1:{port}", "--root", directory], [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\npart"]


# The signal is one that the server leaves to the Go runtime.
SERVERS = {
    "nats-server": ("github.com/nats-io/nats-server/v2@v2.11.4", _nats, signal.SIGABRT),
    "versitygw": ("github.com/versity/versitygw/cmd/versitygw@v1.8.0", _versitygw, signal.SIGQUIT),
    "caddy": ("github.com/caddyserver/caddy/v2/cmd/caddy@v2.8.4", _caddy, signal.SIGABRT),
}


def _install(name):
    exe = DIRECTORY / name
    if not exe.exists():
        if not shutil.which("go"):
            raise crash.Skip("no Go on this machine")
        DIRECTORY.mkdir(parents=True, exist_ok=True)
        env = dict(os.environ, GOBIN=str(DIRECTORY), GOFLAGS="-buildvcs=false", CGO_ENABLED="0")
        done = subprocess.run(["go", "install", SERVERS[name][0]], env=env, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise crash.Skip(f"{name} cannot be had: {done.stderr.strip().splitlines()[-1:]}")
    return exe


def _connect(port, lines):
    """Clients that have said their line, or half of it, and wait."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.1)
    clients = []
    for i in range(CLIENTS):
        clients.append(socket.create_connection(("127.0.0.1", port), timeout=10))
        clients[-1].sendall(lines[i % len(lines)])
    time.sleep(3)
    return clients


def _unlimited_core():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def crash_of(name):
    """(executable, core) of a server; raises Skip or Failed."""
    exe, core = _install(name), DIRECTORY / (name + ".core")
    if core.exists() and core.stat().st_mtime > exe.stat().st_mtime:
        return exe, core
    port = _free_port()
    with tempfile.TemporaryDirectory(dir=DIRECTORY) as directory, crash.core_pattern():
        data = os.path.join(directory, "data")
        os.mkdir(data)
        arguments, lines = SERVERS[name][1](port, data)
        env = {"PATH": "/usr/bin:/bin", "HOME": data, "GOTRACEBACK": "crash"}
        process = subprocess.Popen([str(exe), *arguments], cwd=directory, env=env, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=_unlimited_core)
        clients = _connect(port, lines)
        process.send_signal(SERVERS[name][2])
        process.wait(120)
        for client in clients:
            client.close()
        # Some make the directory of their data their own.
        found = [os.path.join(where, entry) for where in (directory, data) for entry in os.listdir(where)
                 if entry.startswith("core")]
        if len(found) != 1:
            raise crash.Failed(f"{name}: {len(found)} core files")
        os.replace(found[0], core)
    return exe, core
