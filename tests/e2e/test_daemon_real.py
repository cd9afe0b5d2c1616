#!/usr/bin/env python3
"""A Go program crashes for real: coresnapd and coresnap bring its snapshot to the store."""
import json
import os
import resource
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from bench import BUILD, Bench, equal, main  # noqa: E402

PROGRAM = """package main

func main() {
	for i := 0; i < 20; i++ {
		go func() { select {} }()
	}
	explode(42)
}

//go:noinline
func explode(n int) { panic(n) }
"""


def skip(reason):
    print("skipped: " + reason)
    sys.exit(77)


def unlimited_core():
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def crash(bench, program):
    """Crashes the program in an empty directory; returns its core's path."""
    os.mkdir(bench.path("crash"))
    subprocess.run([program], cwd=bench.path("crash"), stderr=subprocess.DEVNULL, check=False,
                   env={"GOTRACEBACK": "crash"}, preexec_fn=unlimited_core)
    cores = os.listdir(bench.path("crash"))
    if not cores:
        skip("this machine writes no core files (kernel.core_pattern, ulimit -c)")
    return bench.path("crash", cores[0])


def decompress(body):
    return json.loads(subprocess.run(["zstd", "-dc"], input=body, stdout=subprocess.PIPE,
                                     check=True).stdout)


def build(bench):
    with open(bench.path("main.go"), "w", encoding="ascii") as file:
        file.write(PROGRAM)
    subprocess.run(["go", "build", "-o", bench.path("app"), bench.path("main.go")], check=True,
                   cwd=bench.root, env={**os.environ, "GO111MODULE": "off"})


def go_crash_reaches_the_store():
    with Bench(analyzer=os.path.join(BUILD, "coresnap")) as bench:
        build(bench)
        core = crash(bench, bench.path("app"))
        # Gone from where it ran, and found by its build id.
        os.rename(bench.path("app"), bench.path("bin/anything"))
        bench.start()
        os.rename(core, bench.path("cores/core.1"))
        bench.until_objects(1, 25)
        bench.until_idle()
        snapshot = decompress(list(bench.store.objects.values())[0])
        equal(snapshot["schema"], "coresnap.snapshot/1", "schema")
        equal(list(bench.store.objects), ["crashes/%s.json" % snapshot["id"]], "the object's name")
        equal(snapshot["process"]["signal"]["name"], "SIGABRT", "signal")
        equal("SIGABRT go1." in bench.log(), True, "the line of the crash")
        equal("without its executable" in bench.log(), False, "the executable was found")
        equal(snapshot["goroutines_total"] >= 21, True, "goroutines")


def wrong_binary_is_refused_with_both_ids():
    with Bench(analyzer=os.path.join(BUILD, "coresnap")) as bench:
        build(bench)
        core = crash(bench, bench.path("app"))
        with open(bench.path("main.go"), "a", encoding="ascii") as file:
            file.write("\nfunc init() { println(1) }\n")
        subprocess.run(["go", "build", "-o", bench.path("app"), bench.path("main.go")], check=True,
                       cwd=bench.root, env={**os.environ, "GO111MODULE": "off"})
        bench.start("--executable-wait", "3s")
        os.rename(core, bench.path("cores/core.1"))
        bench.until(lambda: "is not its executable: build id " in bench.log(), "it is refused")
        bench.until_objects(1, 25)
        snapshot = decompress(list(bench.store.objects.values())[0])
        equal(snapshot["process"]["signal"]["name"], "SIGABRT", "signal of the minimal snapshot")
        equal("(without its executable)" in bench.log(), True, "the log says that it is minimal")


def compressed_core_is_read():
    with Bench(analyzer=os.path.join(BUILD, "coresnap")) as bench:
        build(bench)
        core = crash(bench, bench.path("app"))
        os.rename(bench.path("app"), bench.path("bin/anything"))
        bench.start("--max-unpacked", "1G")
        subprocess.run(["zstd", "-q", core, "-o", bench.path("core")], check=True)
        os.rename(bench.path("core"), bench.path("cores/core.app.0.1.zst"))
        bench.until_objects(1, 25)
        bench.until_idle()
        snapshot = decompress(list(bench.store.objects.values())[0])
        equal(snapshot["goroutines_total"] >= 21, True, "goroutines")
        equal(os.path.exists(bench.path("cores/core.app.0.1.zst")), True, "the core stays")


TESTS = [compressed_core_is_read, go_crash_reaches_the_store, wrong_binary_is_refused_with_both_ids]

if __name__ == "__main__":
    if not shutil.which("go") or not shutil.which("zstd"):
        skip("no Go or no zstd")
    if subprocess.run([os.path.join(BUILD, "coresnap"), "--version"], stdout=subprocess.DEVNULL,
                      check=False).returncode:
        skip("no coresnap")
    main(TESTS)
