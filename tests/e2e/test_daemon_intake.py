#!/usr/bin/env python3
"""coresnapd: which files it takes, which executable it finds for them, and what it leaves alone."""
import ctypes
import os
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from bench import Bench, equal, main  # noqa: E402


def core_before_its_binary():
    with Bench() as bench:
        bench.start()
        bench.core("one")
        bench.until(lambda: "waits for its executable" in bench.log(), "the core waits")
        equal(len(bench.spool("waiting")), 1, "waiting")
        bench.kill()
        bench.start()
        bench.executable("other", "id-b")
        os.mkdir(bench.path("bin/deep"))
        bench.executable("deep/any-name")
        bench.until_objects(1)
        bench.until_idle()
        equal(bench.spool("waiting"), [], "waiting")
        equal(bench.runs(), ["one"], "analyses")


def binary_at_the_path_of_the_core():
    with Bench() as bench:
        path = bench.path("app")
        bench.start()
        bench.core("one", path=path)
        bench.until(lambda: "waits for its executable" in bench.log(), "the core waits")
        bench.write("app", "\x7fELF id-b (as long as an ELF header)\n")
        bench.until(lambda: "is not its executable: build id id-b, needed id-a" in bench.log(),
                    "the wrong binary is refused with both ids")
        equal(bench.runs(), [], "analyses")
        bench.write("app", "\x7fELF id-a (as long as an ELF header)\n")
        bench.until_objects(1)


def enter_filter():
    """As in a container, or a unit with SystemCallFilter=: a seccomp filter is there already."""
    allow = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0x7fff0000))  # BPF_RET
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 1, ctypes.addressof(allow)))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    # PR_SET_NO_NEW_PRIVS; PR_SET_SECCOMP with SECCOMP_MODE_FILTER
    if prctl(38, 1, 0, 0, 0) or prctl(22, 2, ctypes.addressof(program), 0, 0):
        raise OSError(ctypes.get_errno(), "no seccomp filter")


def works_behind_a_filter():
    with Bench() as bench:
        bench.executable("app")
        bench.start(before=enter_filter)
        bench.core("one")
        bench.until_objects(1)
        equal(os.listdir(bench.path("spool/failed")), [], "failed")


def wait_ends_with_a_minimal_snapshot():
    with Bench() as bench:
        bench.start("--executable-wait", "1s")
        bench.core("one")
        bench.until_objects(1)
        equal("(without its executable)" in bench.log(), True, bench.log())


def garbage_is_left_alone():
    with Bench() as bench:
        bench.executable("app")
        bench.write("cores/notes", "nothing of ours\n")
        bench.write("cores/empty", "")
        bench.write("outside", "CORE linked id-a -\n")
        os.symlink(bench.path("outside"), bench.path("cores/symbolic"))
        os.link(bench.path("outside"), bench.path("cores/hard"))
        os.mkfifo(bench.path("cores/fifo"))
        os.mkdir(bench.path("cores/directory"))
        bench.start()
        with open(bench.path("cores/notes2"), "w", encoding="ascii") as file:
            file.write("written in place\n")
        bench.core("one")
        bench.until_objects(1)
        equal(bench.runs(), ["one"], "analyses")
        bench.until(lambda: len(bench.spool("seen")) == 4, "all plain files were settled")
        bench.kill()
        bench.start()
        bench.core("two")
        bench.until_objects(2)
        time.sleep(2.5)
        equal(bench.log().count("not a core"), 3, "and not again after a restart")
        equal(sorted(os.listdir(bench.path("cores"))),
              ["core.one", "core.two", "directory", "empty", "fifo", "hard", "notes", "notes2",
               "symbolic"], "nothing was removed")


def unreadable_core_is_named():
    with Bench() as bench:
        bench.start()
        bench.write("cores/core.torn", "\x7fELF\x02\x01\x01" + "\0" * 9 + "\x04\0\x3e\0")
        bench.write("cores/core.text", "a log file\n")
        bench.until(lambda: len(bench.spool("seen")) == 2, "both were settled")
        equal("core.torn could not be analysed: not a core; it stays" in bench.log(), True, "torn")
        equal("core.text is ignored" in bench.log(), True, "text")
        equal(len(bench.spool("failed")), 1, "records of failure")


def failed_analysis_is_parked():
    with Bench() as bench:
        bench.executable("app")
        bench.core("bad", behaviour="fail")
        bench.core("lies", behaviour="garbage")
        bench.start()
        bench.until(lambda: len(bench.spool("seen")) == 2, "both are parked")
        log = bench.log()
        equal("core.bad could not be analysed: bytes contradict each other; it stays where it is"
              in log, True, "the reason is in the log")
        equal("the analyzer did not write a snapshot" in log, True, "a false snapshot is refused")
        runs = bench.runs()
        bench.kill()
        bench.start()
        bench.core("good")
        bench.until_objects(1)
        equal(bench.runs(), runs + ["good"], "they are not tried again")
        os.utime(bench.path("analyzer/coresnap"))
        bench.kill()
        bench.start()
        bench.until(lambda: len(bench.runs()) == 2 * len(runs) + 1,
                    "another analyzer tries them again")
        os.unlink(bench.path("cores/core.bad"))
        bench.kill()
        bench.start()
        bench.until(lambda: len(bench.spool("failed")) == 1, "the record of a core that is gone goes")


def time_limit_is_kept():
    with Bench() as bench:
        bench.executable("app")
        bench.start("--time-limit", "500ms")
        bench.core("one", behaviour="hang")
        bench.until(lambda: "stopped at the time limit; it stays" in bench.log(), "it was stopped")
        bench.until_idle()


def spool_is_full():
    with Bench(default=(503, [])) as bench:
        bench.executable("app")
        bench.start("--spool-max", "3M", "--retry-min", "1h")
        for name in ("one", "two", "three", "four"):
            bench.core(name, behaviour="big")
        bench.until(lambda: bench.log_has("the spool is full"), "the spool is full")
        time.sleep(2.5)
        equal(bench.log().count("the spool is full"), 1, "lines about it")
        used = sum(os.stat(bench.path("spool/queue", name)).st_blocks * 512
                   for name in bench.spool("queue"))
        equal(0 < used <= 3 << 20, True, "bytes in the queue: %d" % used)
        bench.store.default = None
        bench.kill()
        for name in bench.spool("queue"):
            if name.endswith(".try.json"):
                os.unlink(bench.path("spool/queue", name))
        bench.start("--spool-max", "3M")
        bench.until_objects(4, 20)
        equal(bench.store.duplicates, [], "duplicates")


def refused_snapshots_make_room():
    with Bench([(403, []), (403, [])]) as bench:
        bench.executable("app")
        bench.start("--spool-max", "3M")
        bench.core("one", behaviour="big")
        bench.until(lambda: len(bench.spool("failed")) == 2, "one is parked")
        bench.core("two", behaviour="big")
        bench.until(lambda: len(bench.spool("failed")) == 4, "two are parked")
        bench.core("three", behaviour="big")
        bench.core("four", behaviour="big")
        bench.until_objects(2)


def directory_comes_and_goes():
    with Bench() as bench:
        bench.executable("app")
        os.rename(bench.path("cores"), bench.path("elsewhere"))
        bench.start()
        os.mkdir(bench.path("cores"))
        bench.until(lambda: bench.log_has("is watched again"), "the directory is watched")
        bench.core("one")
        bench.until_objects(1)
        os.unlink(bench.path("cores/core.one"))
        os.rmdir(bench.path("cores"))
        os.mkdir(bench.path("cores"))
        bench.core("two")
        bench.until_objects(2)


def second_daemon_is_refused():
    with Bench() as bench:
        bench.start()
        first = bench.daemon
        bench.start(wait=False)
        equal(bench.daemon.wait(timeout=10), 1, "exit status of the second")
        equal("another coresnapd uses this spool" in bench.log(), True, "the reason")
        bench.daemon = first
        equal(bench.stop(), 0, "exit status of the first")


def core_in_place_is_taken_when_closed():
    with Bench() as bench:
        bench.executable("app")
        bench.start()
        with open(bench.path("cores/core.slow"), "w", encoding="ascii") as file:
            file.write("CORE slow ")
            file.flush()
            time.sleep(0.5)
            file.write("id-a -\n")
        bench.until_objects(1)
        equal(bench.runs(), ["slow"], "analyses")


def core_that_gets_a_name_when_whole_is_taken():
    """As systemd-coredump does it: nothing is closed or moved in the directory."""
    with Bench() as bench:
        bench.executable("app")
        bench.start()
        file = os.open(bench.path("cores"), os.O_TMPFILE | os.O_WRONLY, 0o600)
        os.write(file, b"CORE linked id-a -\n")
        os.link("/proc/self/fd/%d" % file, bench.path("cores/core.app.0.7.zst"),
                src_dir_fd=file, follow_symlinks=True)  # any src_dir_fd makes Python follow
        os.close(file)
        bench.until_objects(1)
        equal(bench.runs(), ["linked"], "analyses")


def core_seen_while_it_is_written_is_taken_once():
    with Bench() as bench:
        bench.executable("app")
        bench.start()
        with open(bench.path("cores/core.slow"), "w", encoding="ascii") as file:
            file.write("CORE slow ")
            file.flush()
            bench.daemon.send_signal(1)  # a scan finds it half written
            bench.until(lambda: bench.log_has("looking at all directories again"), "it looked")
            file.write("id-a -\n")
        bench.until_objects(1)
        time.sleep(4.5)  # until what the scan found has settled, too
        equal(bench.runs(), ["slow"], "analyses")


def unreadable_compressed_core_is_named():
    with Bench() as bench:
        bench.start()
        bench.write("cores/core.app.0.9.zst", "\x28\xb5\x2f\xfd no more\n")
        bench.write("cores/app.log.gz", "\x1f\x8b\x08 a log\n")
        bench.until(lambda: len(bench.spool("seen")) == 2, "both were settled")
        equal("core.app.0.9.zst could not be analysed" in bench.log(), True, "core")
        equal("app.log.gz is ignored" in bench.log(), True, "log")


def rescan_on_hangup():
    with Bench() as bench:
        bench.executable("app")
        bench.start()
        bench.daemon.send_signal(1)
        bench.until(lambda: bench.log_has("looking at all directories again"), "SIGHUP is heard")
        bench.core("one")
        bench.until_objects(1)


TESTS = [core_before_its_binary, binary_at_the_path_of_the_core, works_behind_a_filter,
         wait_ends_with_a_minimal_snapshot,
         garbage_is_left_alone, unreadable_core_is_named, failed_analysis_is_parked,
         time_limit_is_kept, spool_is_full, refused_snapshots_make_room, directory_comes_and_goes,
         second_daemon_is_refused, core_in_place_is_taken_when_closed,
         core_that_gets_a_name_when_whole_is_taken, core_seen_while_it_is_written_is_taken_once,
         unreadable_compressed_core_is_named, rescan_on_hangup]

if __name__ == "__main__":
    main(TESTS)
