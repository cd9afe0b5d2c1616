#!/usr/bin/env python3
"""Tests of the test: the traceback reader on every form that a release prints, and the comparison,
which must find each kind of difference that it is there for."""
import copy
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import agree  # noqa: E402
import gotrace  # noqa: E402

PANIC = """2026/11/21 12:00:00 goroutine pool: started
panic: first [recovered]
\tpanic: second line one
\tline two

goroutine 1 gp=0xc0000021c0 m=0 mp=0x5a2b80 [running]:
panic({0x48d4c0?, 0xc000012345?})
\t/usr/local/go/src/runtime/panic.go:884 +0x212 fp=0xc00006ef00 sp=0xc00006ee40 pc=0x433a52
main.(*T[...]).f(...)
\t/src/main.go:10
main.main()
\t/src/main.go:20 +0x1d fp=0xc00006ef80 sp=0xc00006ef00 pc=0x4571dd
created by main.start in goroutine 7
\t/src/main.go:5 +0x25

goroutine 18 [chan receive, 5 minutes, locked to thread]:
main.wait(0xc000012345, {0xc000012345, 0x9}, ...)
\t/src/a b/main.go:30 +0x1d
...12 frames elided...
main.outer()
\t/src/main.go:40 +0x1d
created by main.main
\t/src/main.go:22 +0x25

goroutine 19 [running]:
\tgoroutine running on other thread; stack unavailable
created by main.main in goroutine 1
\t/src/main.go:23 +0x25

goroutine 20 [select (no cases) (scan)]:
main.f.func1()
\t/src/main.go:50 +0x1d
[originating from goroutine 1]:
main.parent(...)
\t/src/main.go:60 +0x1d
created by main.grandparent
\t/src/main.go:61 +0x1d

exit status 2
"""

SIGNAL = """log line
SIGQUIT: quit
PC=0x481023 m=0 sigcode=0

goroutine 0 gp=0x5a0 m=0 mp=0x5b0 [idle]:
runtime.futex(0x0?, 0x0?)
\t/usr/local/go/src/runtime/sys_linux_amd64.s:570 +0x23 fp=0x10 sp=0x8 pc=0x481023

goroutine 7 gp=0xc00 m=3 mp=0x77 [running]:
\tgoroutine running on other thread; stack unavailable

rax    0xca
rip    0x481023
fault address 0x0

-----

SIGQUIT: quit
PC=0x1 m=3 sigcode=0

goroutine 7 gp=0xc00 m=3 mp=0x77 [running]:
main.spin()
\t/src/main.go:7 +0x1d fp=0x10 sp=0x8 pc=0x1
runtime.goexit({})
\t/src/asm.s:1 +0x1 fp=0x10 sp=0x8 pc=0x2
non-Go function at pc=7f12
goroutine 8 gp=0xc01 m=4 mp=0x78 [syscall]:
non-Go function
\tpc=0x7f0012
c_wait
\t/src/main.c:9 pc=0x7f0013
runtime.cgocall(0x1)
\t/src/cgocall.go:1 +0x1
"""

ASYNC = """panic: x

goroutine 1 gp=0xc1 m=nil [runnable]:
runtime.asyncPreempt()
\t/go/preempt.s:50 +0x1 fp=0xc000 sp=0xbf00 pc=0x45c21b
main.f(0x1?)
\t/src/main.go:20 +0x5d fp=0xc010 sp=0xc000 pc=0x4571dd
main.main()
\t/src/main.go:9 +0x11 fp=0xc020 sp=0xc010 pc=0x457211
"""

HEADERS = [
    ("goroutine 5 [sleep]:", dict(id=5, status="sleep", labels=None)),
    ("goroutine 5 [sleep] {job: alpha, a/b: \"x y\"}:", dict(status="sleep", labels={"job": "alpha", "a/b": "x y"})),
    ("goroutine 5 [sleep labels:{\"job\": \"al\\\"pha\", \"e\": \"\"}]:",
     dict(status="sleep", labels={"job": "al\"pha", "e": ""})),
    ("goroutine 5 [sleep, 3 minutes, locked to thread] {empty: , \"\\u00e9\": \"\\u00fc\"}:",
     dict(minutes=3, locked=True, labels={"empty": "", "é": "ü"})),
    ("goroutine 9 gp=0xc0 m=nil [select (durable), synctest bubble 4]:", dict(status="select", bubble=4)),
    ("goroutine 9 [chan receive (nil chan) (leaked)]:", dict(status="chan receive (nil chan)", leaked=True)),
    ("goroutine 9 gp=0xc0 m=12 mp=0x77 [GC assist wait (scan), 1 minutes]:",
     dict(status="GC assist wait", scan=True, minutes=1, m=12)),
    ("goroutine 7 [chan receive] {path: \"a]:b\"}:", dict(status="chan receive", labels={"path": "a]:b"})),
]

CAUSES = [
    ("panic: main.T{...}\n\ngoroutine 1 [running]:\n", "panic", "main.T{...}"),
    ("fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [select]:\n", "deadlock",
     "all goroutines are asleep - deadlock!"),
    ("runtime: goroutine stack exceeds 1000000000-byte limit\nfatal error: stack overflow\n\n"
     "runtime stack:\nruntime.throw({0x1, 0x2})\n\t/x.go:1 +0x1\n", "fatal error", "stack overflow"),
    ("panic: a\n\tgoroutine 4 [running]:\n\tmain.f()\n\n", "panic", "a\n\tgoroutine 4 [running]:\n\tmain.f()"),
    ("panic: x [recovered, repanicked]\n\ngoroutine 1 [running]:\n", "panic", "x"),
    ("panic: nil deref\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x10 pc=0x47]\n\n", "panic",
     "nil deref"),
    ("SIGSEGV: segmentation violation\nPC=0x47 m=2 sigcode=0 addr=0x3e8\n\n", "signal",
     "SIGSEGV: segmentation violation"),
    ("SIGABRT: abort\n\ngoroutine 1 [running]:\n", "signal", "SIGABRT: abort"),
    ("panic: one\n\nlater: panic: two is in a log line\n", "panic", "one"),
    ("panic: one [recovered]\n\tfatal error: two\n\ngoroutine 1 [running]:\n", "fatal error", "two"),
]

NAMES = [
    ("main.f", "main.f", True), ("runtime.gopanic", "panic", True), ("main.f", "main.g", False),
    ("main.F[go.shape.int]", "main.F[...]", True),
    ("main.(*P[go.shape.string]).M[go.shape.int]", "main.(*P[...]).M[...]", True),
    ("main.(*P[go.shape.string,go.shape.[]int]).M", "main.(*P[...]).M", True),
    ("main.(*P[go.shape.string]).M[go.shape.int]", "main.(*P[...]).N[...]", False),
    ("main.(*P[go.shape.string]).M.func1", "main.(*P[...]).M.func1", True),
]


def snapshot_of(traceback):
    """A snapshot that says what the traceback says: ground for the comparison's own tests."""
    snapshot = {"frames": [], "stacks": [], "goroutines": [], "binary": {"go_version": "go1.26.8"},
                "crash": {"kind": traceback.kind, "message": traceback.message, "goroutine": 1, "values": []}}

    def frame(printed):
        snapshot["frames"].append({"kind": "c" if printed.foreign else "go",
                                   "function": printed.function, "file": printed.file, "line": printed.line,
                                   "pc": hex(printed.pc) if printed.pc else None,
                                   "inlined": printed.inlined, "kind": "c" if printed.foreign else "go"})
        return len(snapshot["frames"]) - 1

    for printings in traceback.by_id().values():
        g = next((p for p in printings if p.frames), printings[0])
        half = g.elided_after
        frames = g.frames if g.elided is None else \
            g.frames[:half] + g.frames[half - 1:half] * g.elided + g.frames[half:]
        snapshot["stacks"].append([frame(f) for f in frames])
        waiting = g.status not in ("running", "runnable", "syscall", "idle")
        snapshot["goroutines"].append({
            "id": g.id, "status": "waiting" if waiting else g.status,
            "wait_reason": g.status if waiting else None, "wait_ns": g.minutes * 60e9 or None,
            "wait_min_ns": None, "wait_max_ns": None, "wait_source": "gc" if g.minutes else None,
            "locked_to_thread": g.locked, "labels": g.labels, "stack": len(snapshot["stacks"]) - 1,
            "frames_total": len(frames),
            "created_by": frame(g.created_by) if g.created_by else None, "parent": g.parent})
    return snapshot


def mutations():
    """(what, change of a snapshot) that the comparison must notice, each in goroutine 18."""
    def row(s):
        return s["goroutines"][1]

    def first_frame(s):
        return s["frames"][s["stacks"][row(s)["stack"]][0]]

    return [
        ("function", lambda s: first_frame(s).update(function="main.other")),
        ("file", lambda s: first_frame(s).update(file="/src/main.go")),
        ("line", lambda s: first_frame(s).update(line=31)),
        ("one frame too few", lambda s: (s["stacks"][row(s)["stack"]].pop(), row(s).update(frames_total=13))),
        ("one frame too many", lambda s: (s["stacks"][row(s)["stack"]].append(0),
                                          row(s).update(frames_total=15))),
        ("state", lambda s: row(s).update(wait_reason="chan send")),
        ("locked", lambda s: row(s).update(locked_to_thread=False)),
        ("wait", lambda s: row(s).update(wait_ns=None)),
        ("bound", lambda s: row(s).update(wait_max_ns=int(60e9))),
        ("creator", lambda s: s["frames"][row(s)["created_by"]].update(line=9)),
        ("no creator", lambda s: row(s).update(created_by=None)),
        ("missing", lambda s: s["goroutines"].pop(1)),
        ("too many", lambda s: s["goroutines"].append(dict(row(s), id=99))),
    ]


class Parser(unittest.TestCase):
    def test_panic(self):
        t = gotrace.parse(PANIC)
        self.assertEqual((t.kind, t.message), ("panic", "second line one\n\tline two"))
        self.assertEqual(t.panics[0], ("first", True))
        self.assertEqual([g.id for g in t.goroutines], [1, 18, 19, 20])
        main, deep, elsewhere, child = t.goroutines
        self.assertEqual([f.function for f in main.frames], ["panic", "main.(*T[...]).f", "main.main"])
        self.assertEqual([f.inlined for f in main.frames], [False, True, False])
        self.assertEqual((main.frames[2].file, main.frames[2].line, main.frames[2].pc),
                         ("/src/main.go", 20, 0x4571dd))
        self.assertEqual((main.created_by.function, main.parent, main.m), ("main.start", 7, 0))
        self.assertEqual((deep.status, deep.minutes, deep.locked), ("chan receive", 5, True))
        self.assertEqual((deep.elided, deep.elided_after, len(deep.frames)), (12, 1, 2))
        self.assertEqual((deep.created_by.function, deep.parent), ("main.main", None))
        self.assertTrue(elsewhere.unavailable)
        self.assertTrue(child.scan)
        self.assertEqual(len(child.ancestors), 1)
        self.assertIsNone(child.created_by)
        self.assertEqual(t.unparsed, ["2026/11/21 12:00:00 goroutine pool: started"])

    def test_signal(self):
        t = gotrace.parse(SIGNAL)
        self.assertEqual((t.kind, t.message, t.signal), ("signal", "SIGQUIT: quit", "SIGQUIT"))
        seven = t.by_id()[7]
        self.assertEqual([g.unavailable for g in seven], [True, False])
        self.assertEqual([len(g.frames) for g in seven], [0, 2])
        self.assertEqual([f.foreign for f in t.by_id()[8][0].frames], [True, True, False])
        self.assertNotIn(0, t.by_id())

    def test_headers(self):
        for line, wanted in HEADERS:
            g = gotrace.parse_header(line)
            self.assertIsNotNone(g, line)
            for key, value in wanted.items():
                self.assertEqual(getattr(g, key), value, f"{key} of {line}")

    def test_causes(self):
        for text, kind, message in CAUSES:
            t = gotrace.parse(text)
            self.assertEqual((t.kind, t.message), (kind, message), text)

    def test_two_die(self):
        t = gotrace.parse("fatal error: a\n\ngoroutine 5 [running]:\nmain.f()\n\t/x.go:1 +0x1\n"
                          "fatal error: a\n\ngoroutine 6 [running]:\nmain.f()\n\t/x.go:1 +0x1\n")
        self.assertEqual((t.kind, t.message, t.causes, t.unparsed), ("fatal error", "a", 2, []))

    def test_names(self):
        for ours, printed, same in NAMES:
            self.assertEqual(printed in gotrace.generic(ours), same, (ours, printed))

    def test_every_prefix_parses(self):
        for text in (PANIC, SIGNAL):
            for end in range(len(text)):
                gotrace.parse(text[:end])


class Comparison(unittest.TestCase):
    def test_equal(self):
        for text in (PANIC, SIGNAL):
            t = gotrace.parse(text)
            result = agree.compare(snapshot_of(t), t)
            self.assertEqual(result.disagreements, [])
            self.assertEqual(result.agreed, len(t.by_id()))

    def test_notices(self):
        t = gotrace.parse(PANIC)
        for what, change in mutations():
            snapshot = copy.deepcopy(snapshot_of(t))
            change(snapshot)
            result = agree.compare(snapshot, t)
            self.assertEqual(len(result.disagreements), 1, what)

    def test_readied(self):
        """What was waiting may be runnable in the core, and go on from there; who created it stays."""
        t = gotrace.parse(PANIC)
        snapshot = snapshot_of(t)
        row = snapshot["goroutines"][1]
        row.update(status="runnable", wait_reason=None, wait_ns=None, wait_source=None)
        result = agree.compare(snapshot, t)
        self.assertEqual((result.disagreements, result.rules["readied"]), ([], 1))
        snapshot["frames"][row["created_by"]]["line"] += 1
        self.assertEqual(len(agree.compare(snapshot, t).disagreements), 1)

    def test_c_frames(self):
        """Frames of C that the runtime did not print are left out, and nothing else is."""
        t = gotrace.parse(PANIC)
        snapshot = snapshot_of(t)
        row = snapshot["goroutines"][1]
        snapshot["frames"].append(dict(snapshot["frames"][0], function="pause", kind="c"))
        snapshot["stacks"][row["stack"]].insert(0, len(snapshot["frames"]) - 1)
        row["frames_total"] += 1
        result = agree.compare(snapshot, t)
        self.assertEqual((result.disagreements, result.rules.get("c-frames")), ([], 1))
        snapshot["frames"][-1]["kind"] = "go"
        self.assertEqual([number for number, _ in agree.compare(snapshot, t).disagreements], [row["id"]])

    def test_lent(self):
        """A goroutine that the runtime did not print may be one that stands at goexit alone."""
        t = gotrace.parse(PANIC)
        snapshot = snapshot_of(t)
        snapshot["frames"].append({"function": "runtime.goexit", "kind": "go"})
        snapshot["stacks"].append([len(snapshot["frames"]) - 1])
        lent = {"id": 99, "status": "syscall", "wait_reason": None, "locked_to_thread": True, "created_by": None,
                "stack": len(snapshot["stacks"]) - 1}
        snapshot["goroutines"].append(lent)
        self.assertEqual(agree.compare(snapshot, t).disagreements, [])
        lent["created_by"] = 0
        self.assertEqual(len(agree.compare(snapshot, t).disagreements), 1)

    def test_stopped(self):
        """Only of a goroutine whose stack the runtime could not walk may the state differ."""
        t = gotrace.parse(PANIC)
        snapshot = snapshot_of(t)
        for row in snapshot["goroutines"]:
            if row["status"] == "running" and row["id"] != 1:
                row.update(status="runnable")
        result = agree.compare(snapshot, t)
        self.assertEqual((result.disagreements, result.rules["stopped"]), ([], 1))
        snapshot["goroutines"][0].update(status="runnable")  # this one was printed with its stack
        self.assertEqual(len(agree.compare(snapshot, t).disagreements), 1)

    def test_async_line(self):
        """Until go1.20, and only where pc and function are the same."""
        t = gotrace.parse(ASYNC)
        for version, pc, function, wrong in (("go1.20.14", 0x4571dd, "main.f", 0), ("go1.21.0", 0x4571dd, "main.f", 1),
                                             ("go1.20.14", 0x4571de, "main.f", 1), ("go1.18", 0x4571dd, "main.g", 1)):
            snapshot = snapshot_of(t)
            snapshot["binary"]["go_version"] = version
            place = snapshot["frames"][snapshot["stacks"][0][1]]
            place.update(line=21, pc=hex(pc), function=function)
            result = agree.compare(snapshot, t)
            self.assertEqual(len(result.disagreements), wrong, (version, hex(pc), function))
            self.assertEqual(result.rules.get("async-line", 0), 1 - wrong)

    def test_arguments_and_addresses(self):
        t, result = gotrace.parse(ASYNC), agree.Comparison()
        for old, new, is_old, arguments, addresses in (
                ("", "", False, 0, 0), ("f(0x1?)", "f(0x1)", False, 1, 0), ("f(0x1?)", "f(0x1)", True, 0, 0),
                ("f(0x1?)", "f(0x2?)", True, 1, 0), ("fp=0xc010", "fp=0xc018", False, 0, 1),
                ("sp=0xc000", "sp=0xc008", False, 0, 1)):
            ours = gotrace.parse(ASYNC.replace(old, new) if old else ASYNC)
            self.assertEqual(len(agree.arguments_differ(t, ours, result, is_old)), arguments, (old, new))
            self.assertEqual(len(agree.addresses_differ(t, ours, result)), addresses, (old, new))
        self.assertEqual((result.rules, result.addresses), ({"live-mark": 1}, 18))

    def test_hidden_words(self):
        """Eight characters of text, whole, and nothing else."""
        for theirs, mine, wrong, hidden in (
                ("0x41626339302d2b2f?", "_?", 0, 1), ("0x41626339302d2b2f, 0x1", "_, 0x2", 1, 1),
                ("0x41626339302d2b2f", "0x41626339302d2b2f", 1, 1), ("0x41626339302d2b20", "_", 1, 0),
                ("0x416263", "_", 1, 0), ("0xc000012345", "0xc000012345", 0, 0)):
            t, ours = (gotrace.parse(ASYNC.replace("f(0x1?)", f"f({args})")) for args in (theirs, mine))
            result = agree.Comparison()
            self.assertEqual(len(agree.arguments_differ(t, ours, result, False)), wrong, theirs)
            self.assertEqual(result.rules.get("hidden", 0), hidden, theirs)

    def test_rules_grown(self):
        self.assertEqual(agree.rules_grown({"stopped": 5, "elided": 900}, 1000), [])
        self.assertEqual(len(agree.rules_grown({"stopped": 6}, 1000)), 1)
        self.assertEqual(agree.rules_grown({"stopped": 6}, 999), [])

    def test_crash(self):
        t = gotrace.parse(PANIC)
        snapshot = snapshot_of(t)
        self.assertEqual(agree.crash_differs(snapshot, t), [])
        for key, value in (("kind", "signal"), ("message", "first"), ("goroutine", 18), ("goroutine", None)):
            changed = copy.deepcopy(snapshot)
            changed["crash"][key] = value
            self.assertEqual(len(agree.crash_differs(changed, t)), 1, key)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=0)
