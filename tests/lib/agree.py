"""Compares a snapshot with the traceback that the Go runtime printed at the same crash.

compare(snapshot, traceback) goes goroutine by goroutine: state, labels, every frame's function,
file and line in order, creator, parent. The two may honestly differ in a few ways, each a RULE
here; whatever no rule explains counts as a disagreement.
"""
import re
from dataclasses import dataclass, field

import gotrace

RULES = {
    "elided": "the runtime prints 50 frames from either end of a deep stack; only these and the "
              "count of the rest can be compared",
    "printed-twice": "at a fatal signal every thread prints its own goroutine again; ours must equal "
                     "one of the printings",
    "capped": "ours ends at its own cap on frames (frames_total says how many there are); what is there "
              "must be equal, and the total",
    "unavailable": "the runtime cannot walk the stack of a goroutine that runs on another thread; "
                   "ours has one, and state and creator are compared",
    "stopped": "printed as running on another thread, whose stack the runtime cannot walk; freezing the "
               "world has stopped it since, and ours shows where: creator and lock are compared",
    "readied": "what it waited for came between the print and the dump (a timer, a packet, a collection's "
               "end): ours is runnable, at the very same frames",
    "lent": "a signal came to a thread of C's after the print, and the runtime lent it a goroutine for it "
            "(go1.26 signal_unix.go badsignal): in a system call, with nothing on its stack",
    "async-line": "until go1.20 the runtime looks the instruction that asyncPreempt interrupted up at pc - 1 "
                  "(traceback.go: waspanic is not set for it), which may be another line, or an inlined "
                  "call's; ours is the line of that instruction. Function and pc of the frame must be equal",
    "live-mark": "until go1.20 the runtime asks whether an argument is live at the pc that its walk through "
                 "the inlined calls left behind (traceback.go printArgs(f, argp, tracepc)), or at pc - 1 "
                 "below asyncPreempt; ours asks at the frame's own. The words must be equal",
    "c-frames": "the runtime prints no frames of C code unless the program gives it a symbolizer; ours that "
                "are not Go's are left out",
    "hidden": "a word of eight letters, digits and the like is taken for a part of a secret: ours shows _ in "
              "its place. All other words must be equal",
}

# At most so many of a whole run's goroutines may need a rule that allows another state or stack: a
# rule that grows in silence hides a fault of ours.
RULE_SHARES = {"stopped": 0.005, "unavailable": 0.01, "readied": 0.01, "lent": 0.01}
SMALL_RUN = 1000  # goroutines; in fewer a share says nothing


WAIT_SLACK_NS = 5e9  # a long mark phase, and a slow print


def rules_grown(rules, goroutines):
    """A line for each rule that more of a run's goroutines needed than RULE_SHARES allows."""
    return [f"rule {rule} was needed {rules[rule]} times for {goroutines} goroutines: more than {share:.1%}"
            for rule, share in RULE_SHARES.items()
            if goroutines >= SMALL_RUN and rules.get(rule, 0) > share * goroutines]


@dataclass
class Comparison:
    goroutines: int = 0
    agreed: int = 0
    frames: int = 0
    addresses: int = 0  # frames whose fp, sp and pc were compared
    rules: dict = field(default_factory=dict)
    disagreements: list = field(default_factory=list)

    def used(self, rule):
        assert rule in RULES
        self.rules[rule] = self.rules.get(rule, 0) + 1


def stack_of(snapshot, row):
    if row["stack"] is None:
        return []
    return [snapshot["frames"][i] for i in snapshot["stacks"][row["stack"]]]


def go_stack_of(snapshot, row, printed, comparison=None):
    """(frames, frames_total) beside `printed`: without those of C where it has none."""
    stack, total = stack_of(snapshot, row), row["frames_total"]
    if any(frame.foreign for frame in printed.frames):
        return stack, total
    ours = [frame for frame in stack if frame["kind"] != "c"]
    if len(ours) < len(stack) and comparison:
        comparison.used("c-frames")
    return ours, total - (len(stack) - len(ours))


def state_of(row):
    """The word that Go's header has for a snapshot's goroutine."""
    if row["status"] in ("waiting", "leaked") and row["wait_reason"]:
        return row["wait_reason"]
    return row["status"]


def _frame_differs(printed, ours):
    if printed.foreign:
        # A symbolizer's names are its own; ours are those of the snapshot.
        return None if printed.pc == int(ours["pc"], 16) else f"C at {printed.pc:#x}, ours {ours['pc']}"
    if ours["kind"] == "c":
        return f"{printed.function}, ours C's {ours['function']}"
    if printed.function not in gotrace.generic(ours["function"]):
        return f"{printed.function}, ours {ours['function']}"
    if (printed.file, printed.line) != (ours["file"], ours["line"]):
        return (f"{printed.function} at {printed.file}:{printed.line}, "
                f"ours {ours['file']}:{ours['line']}")
    if printed.pc is not None and ours["pc"] is not None and not ours["inlined"]:
        if printed.pc != int(ours["pc"], 16):
            return f"{printed.function} at pc {printed.pc:#x}, ours {ours['pc']}"
    return None


def is_old(snapshot):
    """Whether the traceback's own rules are those of go1.20 and before."""
    version = snapshot["binary"]["go_version"] or ""
    return any(version.startswith(f"go1.{minor}") for minor in (18, 19, 20))


def _with_async_lines(want, got):
    """`want` with the frames below asyncPreempt as `got` has them, where both are the same pc's."""
    for i, frame in enumerate(want):
        if frame.function != "runtime.asyncPreempt" or i >= len(got):
            continue
        ends = [next((k for k in range(i + 1, len(frames)) if not is_inlined(frames[k])), None)
                for frames, is_inlined in ((want, lambda f: f.inlined), (got, lambda f: f["inlined"]))]
        if None in ends or want[ends[0]].function not in gotrace.generic(got[ends[1]]["function"]) or \
                want[ends[0]].pc is None or want[ends[0]].pc != int(got[ends[1]]["pc"], 16):
            return want
        mine = [gotrace.Frame(f["function"], "", f["file"], f["line"], inlined=f["inlined"])
                for f in got[i + 1:ends[1] + 1]]
        return want[:i + 1] + mine + want[ends[0] + 1:]
    return want


def frames_differ(printed, ours, total=None, comparison=None, is_old_release=False):
    """None, or what is wrong with a snapshot's stack beside a printed one. `total`: frames_total."""
    wrong = _frames_differ(printed, printed.frames, ours, total, comparison)
    if not wrong or not is_old_release:
        return wrong
    wrong_still = _frames_differ(printed, _with_async_lines(printed.frames, ours), ours, total, comparison)
    if not wrong_still and comparison:
        comparison.used("async-line")
    return wrong_still


def _frames_differ(printed, want, got, total, comparison):
    ours = got
    if printed.elided is not None:
        half = printed.elided_after
        total = len(ours) if total is None else total
        if printed.elided >= 0 and len(want) + printed.elided != total:
            return f"{len(want) + printed.elided} frames, ours {total}"
        if total > len(ours):
            want, got = want[:half], ours[:half]
        else:
            got = ours[:half] + (ours[-(len(want) - half):] if len(want) > half else [])
        if comparison:
            comparison.used("capped" if total > len(ours) else "elided")
    for i, frame in enumerate(want):
        if i >= len(got):
            return f"{len(want)} frames, ours {len(got)}; the first that lacks: {frame.function}"
        wrong = _frame_differs(frame, got[i])
        if wrong:
            return f"frame {i}: {wrong}"
    if len(got) > len(want):
        return f"{len(want)} frames, ours {len(got)}; the first too many: {got[len(want)]['function']}"
    return None


def _creator_differs(snapshot, printed, row):
    if printed.created_by:
        if row["created_by"] is None:
            return f"created by {printed.created_by.function}, ours null"
        wrong = _frame_differs(printed.created_by, snapshot["frames"][row["created_by"]])
        if wrong:
            return "created by " + wrong
        if printed.parent is not None and printed.parent != row["parent"]:
            return f"parent {printed.parent}, ours {row['parent']}"
    elif row["created_by"] is not None and row["id"] != 1 and not printed.ancestors:
        return "no creator, ours " + snapshot["frames"][row["created_by"]]["function"]
    return None


def _header_differs(printed, row):
    if printed.status != state_of(row):
        return f"state [{printed.status}], ours [{state_of(row)}]"
    if printed.locked != row["locked_to_thread"]:
        return f"locked {printed.locked}, ours {row['locked_to_thread']}"
    if printed.labels is not None and printed.labels != row["labels"]:
        return f"labels {printed.labels}, ours {row['labels']}"
    return _wait_differs(printed, row)


def _wait_differs(printed, row):
    """The runtime prints the time since the collection before the one that first saw the goroutine
    wait (work.tstart, set by gcMark, go1.26 mgc.go): an upper bound on the wait, but for its mark
    phase. A bound of ours must have room for it, and none of ours may claim more for certain."""
    if printed.minutes and row["wait_ns"] is None:
        return f"waits {printed.minutes} minutes, ours null"
    least, most = row["wait_min_ns"], row["wait_max_ns"]
    if printed.minutes and most is not None and most < printed.minutes * 60e9 - WAIT_SLACK_NS:
        return f"waits {printed.minutes} minutes, ours at most {most} ns"
    if row["wait_source"] == "gc" and least is not None and \
            least > (printed.minutes + 1) * 60e9 + WAIT_SLACK_NS:
        return f"waits {printed.minutes} minutes, ours at least {least} ns"
    return None


def _stopped(printed, row):
    """True where the runtime saw it run on another thread and could not walk it, and it is stopped now."""
    return printed.unavailable and printed.status == "running" and row["status"] == "runnable" and \
        printed.locked == row["locked_to_thread"] and printed.labels in (None, row["labels"])


def _readied(snapshot, printed, row):
    """True where ours differs in nothing but that somebody has made it runnable since: what it waited for
    came, or the collector has scanned the stack for which it had stopped it (preempt.go resumeG)."""
    waited = not printed.unavailable and printed.status not in set(gotrace.MOVING) - {"preempted"}
    return waited and row["status"] == "runnable" and printed.locked == row["locked_to_thread"] and \
        printed.labels in (None, row["labels"]) and \
        not frames_differ(printed, *go_stack_of(snapshot, row, printed))


def goroutine_differs(snapshot, printed, row, comparison):
    """None, or the first difference that no rule explains."""
    creator = _creator_differs(snapshot, printed, row)
    if creator:
        return creator
    wrong = _header_differs(printed, row)
    if printed.unavailable:
        comparison.used("unavailable")
    elif not wrong:
        wrong = frames_differ(printed, *go_stack_of(snapshot, row, printed, comparison), comparison,
                              is_old(snapshot))
    if wrong and _readied(snapshot, printed, row):
        comparison.used("readied")
        return None
    if wrong and _stopped(printed, row):
        comparison.used("stopped")
        return None
    return wrong


def _best(snapshot, printings, row, comparison):
    """The difference from the printing that comes closest; None where one agrees."""
    with_stack = [p for p in printings if not p.unavailable] or printings
    if len(printings) > 1:
        comparison.used("printed-twice")
    wrong = None
    for printed in reversed(with_stack):
        wrong = goroutine_differs(snapshot, printed, row, comparison)
        if not wrong:
            return None
    return wrong


def _is_lent(snapshot, row):
    return row["status"] == "syscall" and row["locked_to_thread"] and row["created_by"] is None and \
        [frame["function"] for frame in stack_of(snapshot, row) if frame["kind"] == "go"] == ["runtime.goexit"]


def compare(snapshot, traceback):
    """Goroutine by goroutine; dead ones are in neither."""
    result = Comparison()
    rows = {row["id"]: row for row in snapshot["goroutines"] if row["status"] != "dead"}
    printed = traceback.by_id()
    for number in sorted(set(rows) | set(printed)):
        result.goroutines += 1
        if number not in rows:
            wrong = "only the runtime printed it: [" + printed[number][0].status + "]"
        elif number not in printed and _is_lent(snapshot, rows[number]):
            result.used("lent")
            wrong = None
        elif number not in printed:
            wrong = f"only ours has it: [{state_of(rows[number])}]"
        else:
            result.frames += len(printed[number][-1].frames)
            wrong = _best(snapshot, printed[number], rows[number], result)
        if wrong:
            result.disagreements.append((number, wrong))
        else:
            result.agreed += 1
    return result


def _same_walks(printed, ours):
    """Pairs of frames, without inlined ones, of each goroutine that both texts walk alike."""
    by_id = {g.id: g for g in ours.goroutines}
    for g in printed.goroutines:
        other = by_id.get(g.id)
        if g.id and other and [f.function for f in g.frames] == [f.function for f in other.frames]:
            for i, (theirs, mine) in enumerate(zip(g.frames, other.frames)):
                if not theirs.inlined:
                    yield g, theirs, mine, g.frames[i - 1] if i else None


def without_text_words(args):
    """Arguments as ours shows them: _ for a word of eight characters of text (redact_is_text_word)."""
    return re.sub(r"0x([0-9a-f]{16})", lambda word: "_" if re.fullmatch(
        rb"[A-Za-z0-9_\-+/=]{8}", bytes.fromhex(word[1])) else word[0], args)


def arguments_differ(printed, ours, comparison, is_old_release):
    """Frames that both show at the same place, but with other argument words."""
    wrong = []
    for g, theirs, mine, callee in _same_walks(printed, ours):
        words = without_text_words(theirs.args)
        if words != theirs.args:
            comparison.used("hidden")
        if words == mine.args:
            continue
        is_marked_elsewhere = callee and (callee.inlined or callee.function == "runtime.asyncPreempt")
        if is_old_release and is_marked_elsewhere and \
                words.replace("?", "") == mine.args.replace("?", ""):
            comparison.used("live-mark")
        else:
            wrong.append(f"goroutine {g.id}: {theirs.function}({theirs.args}), ours ({mine.args})")
    return wrong[:3]


def addresses_differ(printed, ours, comparison):
    """Frames that both texts have with their addresses, but not the same ones."""
    wrong = []
    for g, theirs, mine, _ in _same_walks(printed, ours):
        if theirs.sp is None or mine.sp is None:
            continue
        comparison.addresses += 1
        if (theirs.fp, theirs.sp, theirs.pc) != (mine.fp, mine.sp, mine.pc):
            wrong.append(f"goroutine {g.id}: {theirs.function} fp={theirs.fp:#x} sp={theirs.sp:#x} "
                         f"pc={theirs.pc:#x}, ours fp={mine.fp:#x} sp={mine.sp:#x} pc={mine.pc:#x}")
    return wrong[:3]


def shown(text):
    """Bytes that are not UTF-8, and on a terminal control characters, are \\xNN in ours."""
    return "".join(f"\\x{ord(c) & 0xff:02x}" if "\udc80" <= c <= "\udcff" or c < " " and c not in "\n\t"
                   else c for c in text)


def same_message(ours, text):
    """Ours is as the runtime printed it, which from 1.23 on indents further lines (go1.23 error.go
    printindented); `text` is that, or the program's own."""
    return shown(ours) in (shown(text), shown(text).replace("\n", "\n\t"))


def crash_differs(snapshot, traceback):
    """What is wrong with the snapshot's `crash` beside the lines above the goroutines."""
    crash, wrong = snapshot["crash"], []
    if crash["kind"] != traceback.kind:
        wrong.append(f"kind \"{traceback.kind}\", ours \"{crash['kind']}\"")
    message = crash["message"] or ""
    if traceback.kind == "signal":
        if traceback.signal not in message:
            wrong.append(f"message names no {traceback.signal}: {message!r}")
    elif not same_message(message.rstrip("\n"), traceback.message):
        wrong.append(f"message {traceback.message!r}, ours {message!r}")
    first = traceback.goroutines[0] if traceback.goroutines else None
    if first is None:
        return wrong
    # A thread without a goroutine prints 0; a deadlock is found by a thread that has let go of its own.
    # A signal on a system stack interrupts the goroutine that is printed next, as running.
    # Two may die at once: the one that prints second writes its own stack after all the others.
    allowed = {first.id or None}
    if traceback.causes > 1:
        allowed |= {g.id for g in traceback.goroutines if g.part == 0 and g.status == "running"}
    # So is one whose stack the thread's collector work borrows: it counts as waiting then
    # (go1.26 proc.go casGToWaitingForSuspendG), and is no first entry of allgs.
    if first.id == 0:
        allowed |= {g.id for g in traceback.goroutines[1:2]
                    if g.status == "running" or (g.m == first.m if first.m is not None else g.id != 1)}
    if traceback.kind == "deadlock":
        allowed.add(None)
    if crash["goroutine"] not in allowed:
        wrong.append(f"goroutine {first.id or None}, ours {crash['goroutine']}")
    if crash["values"] and traceback.panics and len(crash["values"]) < len(traceback.panics):
        wrong.append(f"{len(traceback.panics)} panics, ours {len(crash['values'])}")
    return wrong


def threads_differ(snapshot, traceback):
    """Threads that ran no goroutine when a fatal signal came each print their own stack (goroutine 0).
    Ours must have a thread for each; frames above the signal that killed it may lie on top."""
    stacks = [[frame for frame in stack_of(snapshot, row) if frame["kind"] == "go"]
              for row in snapshot["threads"]]
    wrong = []
    for g in traceback.goroutines:
        frames = [frame for frame in g.frames if not frame.foreign]
        if g.id != 0 or not frames or g.elided is not None:
            continue
        printed = gotrace.Goroutine(0, g.status, frames=frames)
        near = [frames_differ(printed, stack[-len(frames):]) for stack in stacks]
        if None not in near:
            wrong.append(f"thread m={g.m}: no thread of ours stands in {frames[0].function}; the nearest: "
                         + str(max(near, key=lambda w: w or "", default=None)))
    return wrong


def same_goroutines(snapshot, text):
    """What differs between a snapshot and our own text form of the same crash."""
    result = compare(dict(snapshot, binary={"go_version": None}), text)
    return [f"goroutine {number}: {wrong}" for number, wrong in result.disagreements]


def headers_differ(traceback, text):
    """Minutes and order of our text beside the runtime's; states and frames are compared elsewhere."""
    wrong = []
    printed = {number: rows[0] for number, rows in traceback.by_id().items()}
    ours = {number: rows[0] for number, rows in text.by_id().items()}
    for number in set(printed) & set(ours):
        if printed[number].minutes != ours[number].minutes and printed[number].status == ours[number].status:
            wrong.append(f"goroutine {number} waits {printed[number].minutes} minutes, "
                         f"ours {ours[number].minutes}")
    if traceback.causes > 1:  # each dying thread prints its own goroutine when its turn comes
        return wrong
    # Each thread's part repeats goroutines; the first part has the order.
    order = [g.id for g in traceback.goroutines if g.part == 0 and g.id in ours]
    if order != [g.id for g in text.goroutines if g.id in set(order)]:
        wrong.append("the goroutines stand in another order")
    return wrong
