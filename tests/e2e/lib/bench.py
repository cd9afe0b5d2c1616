"""What every end-to-end test of coresnapd needs: a bench with directories, a daemon, a store."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import store as store_double  # noqa: E402

LIB = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("BUILD", "build"))


class Bench:
    """Directories of one test, the daemon that works in them, and the store it uploads to."""

    def __init__(self, script=(), default=None, analyzer=None):
        self.root = tempfile.mkdtemp(prefix="coresnapd-test-")
        for name in ("cores", "bin", "analyzer"):
            os.mkdir(self.path(name))
        shutil.copy(os.path.join(LIB, "fake_analyzer.py"), self.path("analyzer/coresnap"))
        os.chmod(self.path("analyzer/coresnap"), 0o755)
        self.analyzer = analyzer or self.path("analyzer/coresnap")
        self.store = store_double.Store(script, default)
        self.log_path = self.path("log")
        self.daemon = None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.kill()
        self.store.close()
        if kind:
            print(self.log(), file=sys.stderr)
        shutil.rmtree(self.root)

    def path(self, *names):
        return os.path.join(self.root, *names)

    def start(self, *options, fail_at=None, wait=True, before=None):
        environment = dict(os.environ)
        environment.pop("CORESNAPD_FAIL_AT", None)
        if fail_at:
            environment["CORESNAPD_FAIL_AT"] = fail_at
        lines = self.log().count("watching ")
        with open(self.log_path, "ab") as log:
            self.daemon = subprocess.Popen(
                [os.path.join(BUILD, "coresnapd"), "--foreground", "--watch", self.path("cores"),
                 "--exe-dir", self.path("bin"), "--spool", self.path("spool"),
                 "--upload", self.store.url, "--analyzer", self.analyzer,
                 "--retry-min", "50ms", "--stall-timeout", "1s", "--keep-free", "0", "--verbose",
                 *options],
                stderr=log, env=environment, preexec_fn=before)
        if wait:
            self.until(lambda: self.log().count("watching ") > lines, "the daemon watches")

    def kill(self):
        """As power loss: SIGKILL; its children die with it."""
        if self.daemon:
            self.daemon.kill()
            self.daemon.wait()
            self.daemon = None

    def stop(self):
        """As systemd: SIGTERM; returns the exit status."""
        self.daemon.send_signal(signal.SIGTERM)
        status = self.daemon.wait(timeout=60)
        self.daemon = None
        return status

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                return log.read()
        except FileNotFoundError:
            return ""

    def log_has(self, text, times=1):
        return self.log().count(text) >= times

    def write(self, name, text):
        """A file that appears whole, by rename."""
        temporary = self.path(name) + ".tmp"
        directory, base = os.path.split(temporary)
        temporary = os.path.join(self.root, "outside-" + base)
        with open(temporary, "w", encoding="latin-1") as file:
            file.write(text)
        os.rename(temporary, self.path(name))

    def core(self, crash, build_id="id-a", path="-", behaviour=""):
        self.write("cores/core." + crash, "CORE %s %s %s %s\n" % (
            crash, build_id, urllib.parse.quote(path), behaviour))

    def executable(self, name, build_id="id-a"):
        self.write("bin/" + name, "\x7fELF %s (as long as an ELF header)\n" % build_id)

    def runs(self):
        try:
            with open(self.path("analyzer/runs")) as runs:
                return runs.read().split()
        except FileNotFoundError:
            return []

    def spool(self, state):
        """The entries; a name with a dot before it is one that is not written yet."""
        return sorted(name for name in os.listdir(self.path("spool", state)) if name[0] != ".")

    def until(self, condition, what, seconds=60):
        """Waits for the condition; a test that waits in vain fails and says for what."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError("in %d s it did not happen that %s" % (seconds, what))
            time.sleep(0.02)

    def until_objects(self, count, seconds=60):
        self.until(lambda: len(self.store.objects) >= count, "%d objects are stored" % count,
                   seconds)

    def until_idle(self, seconds=60):
        self.until(lambda: not self.spool("queue") and not self.spool("tmp"), "the queue is empty",
                   seconds)


def equal(got, wanted, what):
    if got != wanted:
        raise AssertionError("%s: got %r, wanted %r" % (what, got, wanted))


def main(tests):
    """Runs each test; one line for each; exit 1 if one fails. Arguments name those to run."""
    failed = 0
    for test in tests:
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        began = time.monotonic()
        try:
            test()
            print("ok   %s (%.1f s)" % (test.__name__, time.monotonic() - began))
        except Exception as problem:  # pylint: disable=broad-except
            failed += 1
            print("FAIL %s: %s: %s" % (test.__name__, type(problem).__name__, problem))
    sys.exit(1 if failed else 0)
