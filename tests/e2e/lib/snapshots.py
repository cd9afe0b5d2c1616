"""Makes snapshot documents as SNAPSHOT.md has them, for tests of what reads them."""

import hashlib
import json


def frame(function, file, line, in_app=True):
    return {"function": function, "package": function.rsplit(".", 1)[0], "file": file,
            "line": line, "start_line": line - 3, "pc": hex(0x4a1000 + line), "entry": "0x4a1000",
            "inlined": False, "in_app": in_app, "key": "example.com/app." + function,
            "unavailable": []}


FRAMES = [
    frame("main.handler", "main.go", 42),
    frame("main.main", "main.go", 20),
    frame("runtime.gopark", "runtime/proc.go", 435, in_app=False),
    frame("runtime.chanrecv", "runtime/chan.go", 664, in_app=False),
    frame("main.worker", "worker.go", 17),
    frame("sync.(*Mutex).Lock", "sync/mutex.go", 46, in_app=False),
    frame("main.(*cache).get", "cache.go", 88),
    frame("runtime.futex", "runtime/sys_linux_amd64.s", 558, in_app=False),
]
STACKS = [[0, 1], [2, 3, 4], [2, 5, 6], [7]]


def goroutine(number, status, reason, stack, **more):
    row = {"id": number, "status": status, "wait_reason": reason,
           "wait_ns": 120000000000 if reason else None,
           "wait_min_ns": 119000000000 if reason else None, "wait_max_ns": None,
           "wait_source": "gc" if reason else None, "frozen": False, "system": False,
           "thread": None, "processor": None, "stack": stack,
           "frames_total": len(STACKS[stack]), "created_by": 1, "parent": 1,
           "start": "main.worker",
           "stack_range": {"low": "0xc000064000", "high": "0xc000066000"}, "stack_size": 8192,
           "stack_used": 416, "labels": {}, "locked_to_thread": False, "waiting_on": [],
           "variables": [], "arguments": None}
    row.update(more)
    return row


def goroutines(count):
    yield goroutine(1, "running", None, 0, thread=4242, processor=0, created_by=None,
                    parent=None, start="main.main", labels={"request": "42"})
    for number in range(2, count + 1):
        if number % 10:
            yield goroutine(number, "waiting", "chan receive", 1, waiting_on=[
                {"kind": "channel", "address": "0xc00009e060", "operation": "receive",
                 "select_case": 0}])
        else:
            yield goroutine(number, "waiting", "sync.Mutex.Lock", 2)


def groups(count):
    rest = range(2, count + 1)
    locked = [n for n in rest if n % 10 == 0]
    parked = [n for n in rest if n % 10]
    rows = [{"stack": 1, "status": "waiting", "wait_reason": "chan receive",
             "count": len(parked), "wait_max_ns": 7500000000000, "examples": parked[:3]},
            {"stack": 2, "status": "waiting", "wait_reason": "sync.Mutex.Lock",
             "count": len(locked), "wait_max_ns": 120000000000, "examples": locked[:3]},
            {"stack": 0, "status": "running", "wait_reason": None, "count": 1,
             "wait_max_ns": None, "examples": [1]}]
    return [row for row in rows if row["count"]]


def snapshot(seed="seed", count=25, title="panic: boom in main.handler", **crash):
    """A document, as a dict. `crash` replaces members of crash."""
    ident = hashlib.sha256(seed.encode()).hexdigest()[:32]
    document = {
        "schema": "coresnap.snapshot/1", "id": ident,
        "generator": {"name": "coresnap", "version": "0.1.0"},
        "captured_at": "2026-11-21T12:00:00Z", "source": "core",
        "capture": {"mode": "file", "freeze_ns": None, "bytes_read": None, "complete": True},
        "host": {"hostname": "web-17", "kernel": "6.1.0-28-amd64"}, "container": None,
        "attributes": {}, "classifications": [],
        "process": {"pid": 4242, "uid": 1000, "gid": 1000, "executable": "/usr/bin/checkout",
                    "unit": "checkout.service", "args": ["checkout", "-x"],
                    "environment": {"GOMAXPROCS": "8"},
                    "signal": {"number": 6, "name": "SIGABRT", "code": -6, "address": None}},
        "binary": {"go_version": "go1.26.8", "goos": "linux", "goarch": "amd64",
                   "go_build_id": "abc/def", "gnu_build_id": None,
                   "main": {"path": "example.com/checkout", "version": "v1.2.3"},
                   "settings": {"vcs.revision": "0f3a"}, "modules": [], "has_dwarf": True,
                   "has_symtab": True, "pie": False, "cgo": False, "debug_source": "embedded"},
        "runtime": {"layout": "exact", "layout_from": "go1.26.8", "traceback_level": "crash"},
        "crash": {"kind": "panic", "message": "boom: 42", "values": [], "goroutine": 1,
                  "thread": 4242, "blamed": [1], "title": title,
                  "grouping": {"version": 1, "coarse": "c1", "default": "d1", "fine": "f1"},
                  "fingerprint": "d1"},
        "limits": {"max_string": 256, "max_elements": 64, "max_depth": 6},
        "frames": FRAMES, "stacks": STACKS, "groups": groups(count),
        "goroutines_total": count, "goroutines": list(goroutines(count)),
        "threads": [{"id": 4242, "goroutine": 1, "stack": 0,
                     "registers": {"pc": "0x4a102a", "sp": "0xc000065f00"}, "signal": 6},
                    {"id": 4243, "goroutine": None, "stack": 3,
                     "registers": {"pc": "0x4a122e", "sp": "0x7f0000001000"}, "signal": None}],
        "channels": [{"address": "0xc00009e060", "element_type": "int", "length": 0,
                      "capacity": 4, "closed": False, "send_index": 0, "receive_index": 0,
                      "elements": [], "send_queue": [], "receive_queue": [{"goroutine": 2}],
                      "send_queue_total": 0, "receive_queue_total": 1}],
        "sync": [], "scheduler": {"gomaxprocs": 8, "stats": {}, "global_queue": [],
                                  "global_queue_total": 0, "processors": []},
        "blocking": {"edges": [], "edges_total": 0, "deadlocks": [], "leaked": [],
                     "evidence": []},
        "gc": {"phase": "off", "cycles": 12}, "memory": {"heap_objects_total": 0, "by_type": []},
        "timers": [], "descriptors": [], "globals": [], "attachments": [],
        "suppressed_before": 0,
        "diagnostics": [{"severity": "warning", "code": "truncated-core",
                         "message": "the core ends in the middle of a segment", "count": 3}],
    }
    document["crash"].update(crash)
    return document


def encode(document):
    """The document's bytes, a row a line, as the writer makes them."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
