"""The snapshot's document (SNAPSHOT.md, schema coresnap.snapshot/1) as a checker.

check(snapshot) lists what breaks it: a key that must always be there and is not, a value of the
wrong type, an index out of range, a total below its list, an order that is not the promised one.
"""
import re

TEXT, INT, BOOL, NUMBER = "text", "int", "bool", "number"
ADDRESS = "address"  # "0x…"
TIME, LIST, OBJECT = "time", "list", "object"
SOURCES = ("core", "minicore", "pipe", "socket", "exit", "live")
KINDS = ("panic", "fatal error", "signal", "deadlock", "none")
STATUSES = ("idle", "runnable", "running", "syscall", "waiting", "dead", "copystack", "preempted", "leaked")
WAIT_SOURCES = ("gc", "trace", "sudog", "timer", "scheduler")


def opt(kind):
    """The same, or null."""
    return ("opt", kind)


def one(*values):
    return ("one", values)


TOP = {
    "schema": one("coresnap.snapshot/1"), "id": TEXT, "generator": OBJECT, "captured_at": TIME,
    "source": one(*SOURCES), "capture": OBJECT, "host": OBJECT, "container": opt(OBJECT),
    "attributes": OBJECT, "classifications": LIST, "process": OBJECT, "binary": OBJECT,
    "runtime": OBJECT, "crash": OBJECT, "limits": OBJECT, "frames": LIST, "stacks": LIST,
    "groups": LIST, "goroutines_total": INT, "goroutines": LIST, "threads": LIST,
    "scheduler": OBJECT, "gc": opt(OBJECT), "diagnostics": LIST,
}
# Their place in the order, for those that are there.
ORDER = ["schema", "id", "generator", "captured_at", "source", "capture", "host", "container",
         "attributes", "classifications", "process", "binary", "runtime", "crash", "limits", "frames",
         "stacks", "groups", "goroutines_total", "goroutines", "threads", "channels", "sync",
         "scheduler", "blocking", "gc", "memory", "timers", "timers_total", "descriptors",
         "descriptors_total", "globals", "attachments", "suppressed_before", "diagnostics"]
GENERATOR = {"name": TEXT, "version": TEXT}
PROCESS = {"pid": opt(INT), "uid": opt(INT), "gid": opt(INT), "executable": opt(TEXT), "unit": opt(TEXT),
           "args": opt(LIST), "environment": opt(OBJECT), "signal": opt(OBJECT)}
SIGNAL = {"number": INT, "name": opt(TEXT), "code": opt(INT), "address": opt(ADDRESS)}
BINARY = {"go_version": opt(TEXT), "goos": opt(TEXT), "goarch": opt(TEXT), "go_build_id": opt(TEXT),
          "gnu_build_id": opt(TEXT), "main": opt(OBJECT), "settings": opt(OBJECT), "modules": opt(LIST),
          "has_dwarf": opt(BOOL), "has_symtab": opt(BOOL), "pie": opt(BOOL), "cgo": opt(BOOL),
          "debug_source": opt(one("embedded", "debuglink", "build-id", "debuginfod", "none"))}
RUNTIME = {"layout": opt(one("exact", "dwarf", "guessed")), "layout_from": opt(TEXT),
           "traceback_level": opt(TEXT)}
CRASH = {"kind": opt(one(*KINDS)), "message": opt(TEXT), "values": opt(LIST), "goroutine": opt(INT),
         "thread": opt(INT), "blamed": opt(LIST), "title": opt(TEXT), "grouping": opt(OBJECT),
         "fingerprint": opt(TEXT)}
GROUPING = {"version": INT, "coarse": TEXT, "default": TEXT, "fine": TEXT}
FRAME = {"function": opt(TEXT), "package": opt(TEXT), "file": opt(TEXT), "line": opt(INT),
         "start_line": opt(INT), "pc": opt(ADDRESS), "entry": opt(ADDRESS), "inlined": BOOL,
         "in_app": opt(BOOL), "key": opt(TEXT), "kind": one("go", "c"), "object": opt(TEXT),
         "unavailable": opt(LIST)}
GROUP = {"stack": opt(INT), "status": one(*STATUSES), "wait_reason": opt(TEXT), "count": INT,
         "wait_median_ns": opt(INT), "wait_max_ns": opt(INT), "unlike": opt(INT), "examples": LIST}
GOROUTINE = {
    "id": INT, "status": one(*STATUSES), "wait_reason": opt(TEXT), "wait_ns": opt(INT),
    "wait_min_ns": opt(INT), "wait_max_ns": opt(INT), "wait_source": opt(one(*WAIT_SOURCES)),
    "frozen": BOOL, "system": BOOL, "thread": opt(INT), "processor": opt(INT), "stack": opt(INT),
    "frames_total": opt(INT), "created_by": opt(INT), "parent": opt(INT), "start": opt(TEXT),
    "stack_range": opt(OBJECT), "stack_size": opt(INT), "stack_used": opt(INT), "labels": opt(OBJECT),
    "locked_to_thread": BOOL, "waiting_on": opt(LIST), "why": opt(TEXT), "variables": opt(LIST), "arguments": opt(LIST),
}
RANGE = {"low": ADDRESS, "high": ADDRESS}
THREAD_STATES = ("running", "c", "syscall", "spinning", "scheduling", "polling", "parked", "locked", "stopped", "stopping",
                 "monitor", "dying", "foreign", "other")
THREAD = {"id": INT, "goroutine": opt(INT), "state": opt(one(*THREAD_STATES)), "state_ns": opt(INT),
          "machine": opt(INT), "processor": opt(INT), "locked_goroutine": opt(INT), "stack": opt(INT), "registers": opt(OBJECT), "signal": opt(INT)}
REGISTERS = {"pc": ADDRESS, "sp": ADDRESS}
SCHEDULER = {"gomaxprocs": opt(INT), "stats": opt(OBJECT), "global_queue": opt(LIST),
             "global_queue_total": opt(INT), "frozen": LIST, "gomaxprocs_from": opt(TEXT), "cpus": opt(INT),
             "processors": opt(LIST)}
PROCESSOR = {"id": INT, "status": TEXT, "thread": opt(INT), "goroutine": opt(INT), "schedule_tick": opt(INT),
             "syscall_tick": opt(INT), "run_next": opt(OBJECT), "queue": LIST, "queue_total": INT,
             "running_ns": opt(INT), "syscall_ns": opt(INT), "timers": INT, "next_timer_in_ns": opt(INT),
             "frozen_goroutine": opt(OBJECT), "stopped_by_crash": BOOL, "run_next_shares_time_slice": BOOL}
REF = {"goroutine": opt(INT), "created_by": opt(INT), "start": opt(TEXT), "current": opt(INT)}
GC = {"phase": opt(TEXT), "cycles": opt(INT), "heap_live": opt(INT), "heap_goal": opt(INT),
      "pause_total_ns": opt(INT), "last_pauses_ns": opt(LIST)}
DIAGNOSTIC = {"severity": TEXT, "code": TEXT, "message": TEXT, "count": INT}


def fits(value, kind):
    if isinstance(kind, tuple):
        if kind[0] == "opt":
            return value is None or fits(value, kind[1])
        return value in kind[1]
    if kind == TEXT:
        return isinstance(value, str)
    if kind == INT:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == BOOL:
        return isinstance(value, bool)
    if kind == ADDRESS:
        return isinstance(value, str) and re.fullmatch(r"0x[0-9a-f]+", value) is not None
    if kind == TIME:
        return isinstance(value, str) and re.fullmatch(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value) is not None
    return isinstance(value, list if kind == LIST else dict)


class _Checker:
    def __init__(self, snapshot):
        self.s, self.wrong = snapshot, []

    def say(self, text):
        if len(self.wrong) < 50:
            self.wrong.append(text)

    def keys(self, where, value, wanted):
        """True where `value` is an object that has every wanted key, each of its type."""
        if not isinstance(value, dict):
            self.say(f"{where} is no object")
            return False
        before = len(self.wrong)
        for key, kind in wanted.items():
            if key not in value:
                self.say(f"{where}.{key} is missing")
            elif not fits(value[key], kind):
                self.say(f"{where}.{key} is {value[key]!r}, not {kind}")
        return len(self.wrong) == before

    def rows(self, name, wanted):
        return [row for i, row in enumerate(self.s[name]) if self.keys(f"{name}[{i}]", row, wanted)]

    def index(self, where, value, table):
        if value is not None and not 0 <= value < len(self.s[table]):
            self.say(f"{where} is {value}, but there are {len(self.s[table])} {table}")

    def first_use(self, name, uses, table):
        """A table lists its rows in the order in which they are first used."""
        seen = set()
        for use in uses:
            if use is None or use in seen:
                continue
            if use != len(seen):
                self.say(f"{table}[{use}] is used before {table}[{len(seen)}] ({name})")
                return
            seen.add(use)

    def head(self):
        present = [key for key in self.s if key in ORDER]
        if present != sorted(present, key=ORDER.index):
            self.say(f"top-level keys out of order: {present}")
        if not re.fullmatch(r"[0-9a-f]{32}", self.s["id"]):
            self.say(f"id is {self.s['id']!r}")
        self.keys("generator", self.s["generator"], GENERATOR)
        if self.keys("process", self.s["process"], PROCESS) and self.s["process"]["signal"]:
            self.keys("process.signal", self.s["process"]["signal"], SIGNAL)
        self.keys("binary", self.s["binary"], BINARY)
        self.keys("runtime", self.s["runtime"], RUNTIME)
        if self.keys("crash", self.s["crash"], CRASH) and self.s["crash"]["grouping"]:
            grouping = self.s["crash"]["grouping"]
            if self.keys("crash.grouping", grouping, GROUPING) and \
                    self.s["crash"]["fingerprint"] != grouping["default"]:
                self.say("crash.fingerprint is not grouping.default")

    def tables(self):
        self.rows("frames", FRAME)
        for i, stack in enumerate(self.s["stacks"]):
            if not isinstance(stack, list) or not all(fits(frame, INT) for frame in stack):
                self.say(f"stacks[{i}] is no list of indexes")
                return
            for frame in stack:
                self.index(f"stacks[{i}]", frame, "frames")
        if len({tuple(stack) for stack in self.s["stacks"]}) != len(self.s["stacks"]):
            self.say("a stack is written twice")

    def goroutines(self):
        rows = self.rows("goroutines", GOROUTINE)
        if self.s["goroutines_total"] < len(self.s["goroutines"]):
            self.say(f"goroutines_total {self.s['goroutines_total']} < {len(self.s['goroutines'])} rows")
        if len({row["id"] for row in rows}) != len(rows):
            self.say("a goroutine appears twice")
        for row in rows:
            where = f"goroutine {row['id']}"
            self.index(where + ".stack", row["stack"], "stacks")
            self.index(where + ".created_by", row["created_by"], "frames")
            if row["wait_reason"] is not None and row["status"] not in ("waiting", "leaked"):
                self.say(f"{where} is {row['status']} and has a wait_reason")
            if row["stack"] is not None and row["frames_total"] is not None and \
                    row["frames_total"] < len(self.s["stacks"][row["stack"]]):
                self.say(f"{where}.frames_total is below its stack's length")
            bounds = [row[k] for k in ("wait_min_ns", "wait_ns", "wait_max_ns") if row[k] is not None]
            if bounds != sorted(bounds) or any(b < 0 for b in bounds):
                self.say(f"{where} waits {bounds}")
            if row["stack_range"] is not None:
                self.keys(where + ".stack_range", row["stack_range"], RANGE)

    def groups(self):
        rows = self.rows("groups", GROUP)
        counts = [row["count"] for row in rows]
        if counts != sorted(counts, reverse=True):
            self.say("groups are not largest first")
        ids = {row["id"] for row in self.s["goroutines"]}
        for row in rows:
            self.index("groups.stack", row["stack"], "stacks")
            if not row["examples"] or not set(row["examples"]) <= ids:
                self.say(f"a group's examples {row['examples']} are no goroutines")
        if rows and len(self.s["goroutines"]) == self.s["goroutines_total"] and \
                sum(counts) != self.s["goroutines_total"]:
            self.say(f"groups count {sum(counts)} of {self.s['goroutines_total']} goroutines")

    def threads(self):
        for row in self.rows("threads", THREAD):
            self.index(f"thread {row['id']}.stack", row["stack"], "stacks")
            if row["registers"] is not None:
                self.keys(f"thread {row['id']}.registers", row["registers"], REGISTERS)

    def refs(self, where, refs):
        for ref in refs:
            if self.keys(where, ref, REF):
                self.index(where + ".created_by", ref["created_by"], "frames")
                self.index(where + ".current", ref["current"], "frames")

    def scheduler(self):
        scheduler = self.s["scheduler"]
        if not self.keys("scheduler", scheduler, SCHEDULER):
            return
        queue = scheduler["global_queue"] or []
        self.refs("scheduler.global_queue", queue)
        if queue and scheduler["global_queue_total"] < len(queue):
            self.say("scheduler.global_queue_total is below its list's length")
        for processor in scheduler["processors"] or []:
            where = "scheduler.processors"
            if not self.keys(where, processor, PROCESSOR):
                continue
            self.refs(where + ".queue", processor["queue"])
            if processor["run_next"]:
                self.refs(where + ".run_next", [processor["run_next"]])
            if processor["queue_total"] < len(processor["queue"]):
                self.say(f"{where}.queue_total is below its list's length")

    def run(self):
        if self.keys("snapshot", self.s, TOP):
            for part in (self.head, self.tables, self.goroutines, self.groups, self.threads,
                         self.scheduler):
                part()
            if self.s["gc"] is not None:
                self.keys("gc", self.s["gc"], GC)
            elif "no-gc-state" not in {row.get("code") for row in self.s["diagnostics"]}:
                self.say("gc is null, and no-gc-state is not among the diagnostics")
            self.rows("diagnostics", DIAGNOSTIC)
        return self.wrong


def check(snapshot):
    """A list of sentences, empty for a snapshot that keeps to the document."""
    return _Checker(snapshot).run()
