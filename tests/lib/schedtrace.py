"""Reads what GODEBUG=scheddetail=1 makes the runtime print when it begins to die, and holds a
snapshot's `scheduler` against it.

startpanic_m prints it just before it freezes the world (go1.18 to go1.27 proc.go schedtrace, panic.go
startpanic_m), so what ran then may have been stopped in the core: its processor is "gcstop", its
goroutine at the global queue's end (since go1.26 in runnext). What stood still then must be the same to
the last number.
"""
import re
from dataclasses import dataclass, field

HEAD = re.compile(r"SCHED \d+ms: (?P<numbers>.*)$")
PROCESSOR = re.compile(r"  P(?P<id>\d+): (?P<numbers>status=.*)$")
THREAD = re.compile(r"  M(?P<id>\d+): (?P<numbers>p=.*)$")
GOROUTINE = re.compile(r"  G(?P<id>\d+): status=(?P<status>\d+)\((?P<reason>.*)\) m=(?P<m>\w+)"
                       r" lockedm=(?P<lockedm>\w+)$")
STATUS = ("idle", "running", "syscall", "gcstop", "dead")
# runtime2.go _Gscan, _Gsyscall, _Gwaiting; _Gidle, _Gdead, _Gdeadextra
SCAN, RUNNING, SYSCALL, WAITING, DEAD = 0x1000, 2, 3, 4, (0, 6, 10)


@dataclass
class Trace:
    head: dict
    processors: dict = field(default_factory=dict)
    threads: dict = field(default_factory=dict)
    goroutines: dict = field(default_factory=dict)
    goes_on: bool = False  # GODEBUG=dontfreezetheworld=1: the others run on while the first dies


def _numbers(text):
    return dict(re.findall(r"(\w+)=(\S*)", text))


def parse(text):
    """The last detailed trace, or None."""
    trace = None
    for line in text.split("\n"):
        line = re.sub(r"\b(m|p|curg|lockedm|lockedg)=-1\b", r"\1=nil", line)  # until go1.20
        head = HEAD.match(line)
        if head:
            numbers = _numbers(head["numbers"])
            for flag in ("gcwaiting", "sysmonwait"):
                if flag in numbers:
                    numbers[flag] = {"0": "false", "1": "true"}.get(numbers[flag], numbers[flag])
            trace = Trace(numbers)
            continue
        for pattern, name in ((PROCESSOR, "processors"), (THREAD, "threads"), (GOROUTINE, "goroutines")):
            found = pattern.match(line) if trace else None
            if found:
                parts = found.groupdict()
                if "numbers" in parts:
                    parts = dict(_numbers(parts["numbers"]), id=parts["id"])
                getattr(trace, name)[int(parts["id"])] = parts
    return trace if trace and "gcwaiting" in trace.head else None


def _is_quiet(trace):
    """Nothing but the dying thread moves: no other has a processor or has just taken one from the list
    of the idle, spins, or is about to sleep. (The runtime's monitor has none and sleeps on its own.)"""
    others = [m for number, m in trace.threads.items() if str(number) not in trace.dying]
    awake = [m for m in others if m["blocked"] == "false" and m["curg"] == "nil"]
    idle = sum(p["status"] == "0" for p in trace.processors.values())
    return (all(p["status"] == "0" or p["m"] in trace.dying for p in trace.processors.values())
            and idle == int(trace.head["idleprocs"]) and trace.head["spinningthreads"] == "0" and int(trace.head["nmidlelocked"]) >= 0
            and len(awake) <= (trace.head["sysmonwait"] == "false"))


def _processor_differs(printed, ours, trace, quiet):
    """A processor that was running or in a system call may have moved on before it was stopped, and an
    idle one is taken by a thread that looks for work."""
    was, status = STATUS[int(printed["status"])], ours["status"]
    same = [("schedule_tick", "schedtick"), ("syscall_tick", "syscalltick"), ("queue_total", "runqsize")]
    if quiet or was in ("dead", "gcstop") or (was == status == "running" and printed["m"] in trace.dying):
        if was != status:
            return f"{was}, ours {status}"
        return next((f"{theirs} {printed[theirs]}, ours {ours[mine]}" for mine, theirs in same
                     if int(printed[theirs]) != ours[mine]), None)
    if status == "dead" or ours["schedule_tick"] < int(printed["schedtick"]) or \
            ours["syscall_tick"] < int(printed["syscalltick"]):
        return f"{printed}, ours {status} {ours['schedule_tick']} {ours['syscall_tick']}"
    return None


def differs(snapshot, trace):
    """What of `scheduler` cannot be true beside the trace."""
    ours, wrong = snapshot["scheduler"], []
    trace.dying = {str(number) for number, m in trace.threads.items() if m["dying"] != "0"}
    quiet = _is_quiet(trace)
    if ours["gomaxprocs"] != int(trace.head["gomaxprocs"]):
        wrong.append(f"gomaxprocs {trace.head['gomaxprocs']}, ours {ours['gomaxprocs']}")
    pairs = [("threads", ours["stats"]["threads"])]
    if quiet:
        pairs += [("runqueue", ours["global_queue_total"]), ("idleprocs", ours["stats"]["idle_processors"]),
                  ("idlethreads", ours["stats"]["idle_threads"]),
                  ("nmidlelocked", ours["stats"]["idle_locked_threads"]),
                  ("spinningthreads", ours["stats"]["spinning_threads"])]
    wrong += [f"{name} {trace.head[name]}, ours {mine}" for name, mine in pairs
              if int(trace.head[name]) != mine]
    if set(trace.processors) != {p["id"] for p in ours["processors"]}:
        wrong.append(f"processors {sorted(trace.processors)}, ours {[p['id'] for p in ours['processors']]}")
    for p in ours["processors"]:
        printed = trace.processors.get(p["id"])
        what = _processor_differs(printed, p, trace, quiet) if printed else None
        if what:
            wrong.append(f"P{p['id']}: {what}")
    return wrong + _goroutines_differ(snapshot, trace, quiet) + _queues_differ(snapshot, trace) + \
        _frozen_differ(snapshot, trace)


def _has_scheduled(snapshot, trace):
    """Whether a processor has taken up another goroutine since, or was about to."""
    choosing = any(m["p"] != "nil" and m["curg"] == "nil" for number, m in trace.threads.items()
                   if str(number) not in trace.dying)
    pairs = [(trace.processors.get(p["id"]), p) for p in snapshot["scheduler"]["processors"]]
    return trace.goes_on or choosing or trace.head["spinningthreads"] != "0" or any(
        was is None or int(was["schedtick"]) != p["schedule_tick"] for was, p in pairs)


def _frozen_differ(snapshot, trace):
    """`frozen` are those that ran and do not any more: no other, and all of them but what has parked."""
    if trace.goes_on:
        return [f"goroutine {row['id']} is frozen in a world that is not" for row in snapshot["goroutines"]
                if row["frozen"]]
    if _has_scheduled(snapshot, trace):
        return []
    running = {number for number, g in trace.goroutines.items() if int(g["status"]) & ~SCAN == RUNNING}
    busy = sum(STATUS[int(p["status"])] == "running" and p["m"] not in trace.dying
               for p in trace.processors.values())
    # A processor counts no tick when it takes what is next in its time slice (proc.go execute,
    # inheritTime), and the runtime's own give way by themselves (goschedIfBusy).
    came = [row["id"] for row in snapshot["goroutines"] if row["frozen"] and row["id"] not in running]
    went = [row["id"] for row in snapshot["goroutines"] if row["status"] == "runnable" and row["id"] in running
            and not row["frozen"] and not row["system"]]
    wrong = [f"goroutine {number} is frozen, and did not run" for number in came[busy:]]
    return wrong + [f"goroutine {number} ran, and is not frozen" for number in went[len(came):]]


def _queues_differ(snapshot, trace):
    """Where no processor has scheduled anything since, every queue must be as it was: what the freeze
    put at the global queue's end (gopreempt_m, goschedImpl) is taken out again. Only one whose system
    call returned (exitsyscall0) or whom the monitor's netpoll woke may have come."""
    ours, wrong = snapshot["scheduler"], []
    pairs = [(trace.processors.get(p["id"]), p) for p in ours["processors"]]
    if _has_scheduled(snapshot, trace):
        return []
    runnable = {row["id"] for row in snapshot["goroutines"] if row["status"] == "runnable"}
    came = sum(int(g["status"]) & ~SCAN == SYSCALL or
                   int(g["status"]) & ~SCAN == WAITING and number in runnable
                   for number, g in trace.goroutines.items())
    printed, queued = sum(int(was["runqsize"]) for was, _ in pairs), sum(p["queue_total"] for _, p in pairs)
    if _is_quiet(trace):
        wrong += [f"P{p['id']}: runqsize {was['runqsize']}, ours {p['queue_total']}" for was, p in pairs
                  if int(was["runqsize"]) != p["queue_total"]]
    elif queued > printed + came:  # a thread that looks for work may steal, and is not always counted as spinning
        wrong.append(f"runqsizes {printed}, ours {queued}, at most {came} came")
    if not 0 <= ours["global_queue_total"] - int(trace.head["runqueue"]) <= came:
        wrong.append(f"runqueue {trace.head['runqueue']}, ours {ours['global_queue_total']}, "
                     f"at most {came} came")
    return wrong


def _goroutines_differ(snapshot, trace, quiet):
    """Who is alive, who is locked to a thread, and whom each dying thread runs."""
    rows = {row["id"]: row for row in snapshot["goroutines"]}
    alive = {number for number, g in trace.goroutines.items()
             if int(g["status"]) & ~SCAN not in DEAD and number}
    wrong = []
    if quiet and alive != set(rows):
        wrong.append(f"goroutines {sorted(alive ^ set(rows))[:5]} are in one of the two only")
    locked = {number for number in alive if trace.goroutines[number]["lockedm"] != "nil"}
    for number in sorted(alive & set(rows)):
        if rows[number]["locked_to_thread"] != (number in locked) and quiet:
            wrong.append(f"goroutine {number}: lockedm={trace.goroutines[number]['lockedm']}")
    running = {row["goroutine"] for row in snapshot["threads"]}
    for m in trace.dying:
        curg = trace.threads[int(m)]["curg"]
        if curg != "nil" and int(curg) not in running:
            wrong.append(f"M{m} runs goroutine {curg}; no thread of ours does")
    return wrong
