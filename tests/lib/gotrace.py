"""Reads what the Go runtime prints when a program dies: releases 1.18 to 1.27, every GOTRACEBACK level.

parse(text) gives a Traceback: what killed the program, and every goroutine with its header, frames
and creator, in the order printed. A fatal signal makes each thread print in turn (parts divided by
"-----"); a goroutine may then appear more than once. Lines of the program's own log are no trouble:
what fits nothing is kept in `unparsed`.
"""
import re
from dataclasses import dataclass, field

HEADER = re.compile(r"goroutine (?P<id>\d+)(?: gp=(?P<gp>0x[0-9a-f]+|nil))?"
                    r"(?: m=(?P<m>\d+|nil)(?: mp=(?P<mp>0x[0-9a-f]+))?)?"
                    r" \[(?P<state>.*?)\](?: \{(?P<labels>.*)\})?:$")
PLACE = re.compile(r"\t(?P<file>.+):(?P<line>\d+)(?: \+(?P<offset>0x[0-9a-f]+))?"
                   r"(?: fp=(?P<fp>0x[0-9a-f]+) sp=(?P<sp>0x[0-9a-f]+) pc=(?P<pc>0x[0-9a-f]+))?$")
C_PLACE = re.compile(r"\t(?:(?P<file>.+):(?P<line>\d+) )?pc=(?P<pc>0x[0-9a-f]+)$")
CREATED = re.compile(r"created by (?P<function>.+?)(?: in goroutine (?P<parent>\d+))?$")
ELIDED = re.compile(r"\.\.\.(?:(?P<count>\d+)|additional) frames elided\.\.\.$")
ANCESTOR = re.compile(r"\[originating from goroutine (\d+)\]:$")
SIGNAL = re.compile(r"(?P<name>SIG[A-Z0-9]+): (?P<text>.*)$|Signal (?P<number>\d+)$")
SIGNAL_AT = re.compile(r"PC=(?P<pc>0x[0-9a-f]+) m=(?P<m>\d+) sigcode=(?P<code>-?\d+)"
                       r"(?: addr=(?P<addr>0x[0-9a-f]+))?$")
PANIC_SIGNAL = re.compile(r"\[signal (?P<name>[^:\s]+)(?:: (?P<text>.*?))? code=(?P<code>\S+)"
                          r" addr=(?P<addr>\S+) pc=(?P<pc>\S+)\]$")
REGISTER = re.compile(r"(r[a-z0-9]+|[c-g]s|x\d+|lr|sp|pc|fault)\s+0x[0-9a-f]+$")
HEXDUMP = re.compile(r"stack: frame=\{|0x?[0-9a-f]{8,16}: ")  # of a stack that could not be walked
MOVING = ("running", "runnable", "syscall", "preempted")  # states that a goroutine leaves by itself
UNAVAILABLE = "\tgoroutine running on other thread; stack unavailable"


@dataclass
class Frame:
    function: str
    args: str
    file: str = None
    line: int = None
    pc: int = None
    fp: int = None
    sp: int = None
    inlined: bool = False
    foreign: bool = False  # C, named by a cgo symbolizer or only by its pc


@dataclass
class Goroutine:
    id: int
    status: str  # "running", "chan receive", …: the bracket's first part
    minutes: int = 0
    locked: bool = False
    scan: bool = False
    leaked: bool = False
    bubble: int = None
    labels: dict = None  # None: this release or level prints none
    gp: str = None
    m: int = None
    frames: list = field(default_factory=list)
    elided: int = None  # frames left out between the two halves; -1: it does not say how many
    elided_after: int = 0
    unavailable: bool = False
    created_by: Frame = None
    parent: int = None
    ancestors: list = field(default_factory=list)
    part: int = 0  # how many "-----" came before


@dataclass
class Traceback:
    kind: str = None  # "panic", "fatal error", "deadlock", "signal"
    message: str = None
    panics: list = field(default_factory=list)  # [(message, recovered)], first panic first
    signal: str = None
    address: int = None
    goroutines: list = field(default_factory=list)
    causes: int = 0  # more than one where two threads died at the same time
    runtime_stacks: list = field(default_factory=list)
    unparsed: list = field(default_factory=list)

    def by_id(self):
        """{id: [every printing of this goroutine]}, without the threads' own (id 0)."""
        found = {}
        for g in self.goroutines:
            if g.id != 0:
                found.setdefault(g.id, []).append(g)
        return found


ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def unquote(text):
    """A string as the runtime's printquoted wrote it, without the quotes."""
    out, i = bytearray(), 0
    while i < len(text):
        if text[i] != "\\":
            out += text[i].encode("utf-8", "surrogateescape")
            i += 1
            continue
        kind = text[i + 1]
        width = {"x": 2, "u": 4, "U": 8}.get(kind, 0)
        if width:
            value = int(text[i + 2:i + 2 + width], 16)
            out += bytes([value]) if kind == "x" else chr(value).encode()
        else:
            out += ESCAPES.get(kind, kind).encode()
        i += 2 + width
    return out.decode("utf-8", "surrogateescape")


LABEL = re.compile(r'(?:"(?P<qk>(?:[^"\\]|\\.)*)"|(?P<k>[^":,]*)): '
                   r'(?:"(?P<qv>(?:[^"\\]|\\.)*)"|(?P<v>[^",]*))(?:, |$)')


def parse_labels(text):
    labels = {}
    for m in LABEL.finditer(text):
        if m.end() == m.start():
            break
        key = unquote(m["qk"]) if m["qk"] is not None else m["k"]
        labels[key] = unquote(m["qv"]) if m["qv"] is not None else m["v"]
    return labels


def parse_header(line):
    m = HEADER.match(line)
    if not m:
        return None
    state = m["state"]
    g = Goroutine(int(m["id"]), state, gp=m["gp"])
    if m["m"] and m["m"] != "nil":
        g.m = int(m["m"])
    if m["labels"] is not None:
        g.labels = parse_labels(m["labels"])
    inside = re.search(r" labels:\{(.*)\}$", state)
    if inside:
        g.labels, state = parse_labels(inside.group(1)), state[:inside.start()]
    bubble = re.search(r", synctest bubble (\d+)$", state)
    if bubble:
        g.bubble, state = int(bubble.group(1)), state[:bubble.start()]
    if state.endswith(", locked to thread"):
        g.locked, state = True, state[:-len(", locked to thread")]
    minutes = re.search(r", (\d+) minutes$", state)
    if minutes:
        g.minutes, state = int(minutes.group(1)), state[:minutes.start()]
    if state.endswith(" (durable)") and g.bubble is not None:
        state = state[:-len(" (durable)")]
    if state.endswith(" (scan)"):
        g.scan, state = True, state[:-len(" (scan)")]
    if state.endswith(" (leaked)"):
        g.leaked, state = True, state[:-len(" (leaked)")]
    g.status = state
    return g


def parse_call(line):
    """"main.(*T).f(0x1, {...})" as (function, arguments); None where it is no call."""
    if not line.endswith(")") or line.startswith(("\t", " ")):
        return None
    open_at = line.rfind("(")
    return (line[:open_at], line[open_at + 1:-1]) if open_at > 0 else None


class _Reader:
    def __init__(self, text):
        self.lines = text.split("\n")
        self.at = 0
        self.result = Traceback()
        self.part = 0
        self.current = None  # the goroutine or stack whose frames are being read

    def run(self):
        while self.at < len(self.lines):
            line = self.lines[self.at].rstrip("\r")
            self.at += 1
            if line == "":
                self.current = None
            elif not (self._header(line) or (self.current and self._body(line)) or self._cause(line)
                      or self._noise(line)):
                self.result.unparsed.append(line)
        return self.result

    def _peek(self):
        return self.lines[self.at].rstrip("\r") if self.at < len(self.lines) else ""

    def _header(self, line):
        g = parse_header(line)
        if g:
            g.part = self.part
            self.result.goroutines.append(g)
            self.current = g
            return True
        if line == "runtime stack:":
            self.current = Goroutine(0, "runtime stack", part=self.part)
            self.result.runtime_stacks.append(self.current)
            return True
        ancestor = ANCESTOR.match(line)
        if ancestor and self.result.goroutines:
            self.current = Goroutine(int(ancestor.group(1)), "ancestor")
            self.result.goroutines[-1].ancestors.append(self.current)
            return True
        return False

    def _body(self, line):
        g = self.current
        if line == UNAVAILABLE:
            g.unavailable = True
            return True
        elided = ELIDED.match(line)
        if elided:
            g.elided = int(elided["count"]) if elided["count"] else -1
            g.elided_after = len(g.frames)
            return True
        created = CREATED.match(line)
        if created:
            place = PLACE.match(self._peek())
            if place:
                self.at += 1
                g.created_by = Frame(created["function"], "", place["file"], int(place["line"]))
                g.parent = int(created["parent"]) if created["parent"] else None
                return True
        return self._frame(g, line)

    def _frame(self, g, line):
        unnamed = re.match(r"non-Go function at pc=(0x[0-9a-f]+)$", line)
        if unnamed:
            g.frames.append(Frame("non-Go function", "", pc=int(unnamed.group(1), 16), foreign=True))
            return True
        place = PLACE.match(self._peek())
        call = parse_call(line)
        if call and place:
            self.at += 1
            pc, fp, sp = (int(place[name], 16) if place[name] else None for name in ("pc", "fp", "sp"))
            g.frames.append(Frame(call[0], call[1], place["file"], int(place["line"]), pc, fp, sp,
                                  inlined=call[1] == "..." and place["offset"] is None))
            return True
        place = C_PLACE.match(self._peek())
        if place and not line.startswith("\t"):
            self.at += 1
            g.frames.append(Frame(line, "", place["file"], int(place["line"] or 0),
                                  int(place["pc"], 16), foreign=True))
            return True
        return False

    def _cause(self, line):
        """What killed the program: the lines before its first goroutine. Another thread may die at the
        same time, and says so in the middle."""
        t = self.result
        is_late = bool(t.goroutines and self.part == 0 and t.kind)
        found = line.startswith(("fatal error: ", "panic: ")) if is_late else self._first_cause(line)
        t.causes += line.startswith(("fatal error: ", "panic: ", "SIG")) and found and self.part == 0
        return found

    def _first_cause(self, line):
        t = self.result
        if line.lstrip("\t").startswith("panic: ") and (line[0] != "\t" or t.panics):
            if line[0] != "\t":
                t.panics = []
            self._panic(line.lstrip("\t")[len("panic: "):])
            return True
        # go1.26 panic.go printPreFatalDeferPanic: below the panics that were being handled.
        if line.startswith("fatal error: ") or (t.panics and line.startswith("\tfatal error: ")):
            t.message = line.strip()[len("fatal error: "):]
            t.kind = "deadlock" if t.message.endswith("- deadlock!") else "fatal error"
            return True
        found = PANIC_SIGNAL.match(line)
        if found and t.kind:
            t.signal, t.address = found["name"], int(found["addr"], 16)
            return True
        found, at = SIGNAL.match(line), SIGNAL_AT.match(self._peek())
        # Our own text has no line of registers there.
        if not found or not (at or (self._peek() == "" and not t.kind)):
            return False
        if self.part == 0:
            t.kind, t.message, t.signal = "signal", line, found["name"] or line
            t.address = int(at["addr"], 16) if at and at["addr"] else None
        self.at += 1
        return True

    def _panic(self, message):
        t = self.result
        while self._peek().startswith("\t") and not self._peek().startswith(("\tpanic: ", "\tfatal error: ")):
            message += "\n" + self._peek()
            self.at += 1
        recovered = re.search(r" \[recovered(, repanicked)?\]$", message)
        if recovered:
            message = message[:recovered.start()]
        t.panics.append((message, bool(recovered)))
        t.kind, t.message = "panic", message

    def _noise(self, line):
        if line == "-----":
            self.part += 1
            return True
        return bool(REGISTER.match(line) or HEXDUMP.match(line) or SIGNAL_AT.match(line)
                    or line.startswith(("exit status ", "instruction bytes:", "goroutine stack exceeds",
                                        "signal arrived during cgo execution", "unexpected fault address ",
                                        "Aborted", "runtime: ")))


def parse(text):
    return _Reader(text).run()


def generic(name):
    """The forms in which a release may print this function's name: 1.21-1.26 write what lies between
    the first and the last bracket as [...], 1.27 does so for each pair; gopanic is "panic"."""
    if name == "runtime.gopanic":
        return {"panic", name}
    first, last = name.find("["), name.rfind("]")
    if first < 0 or last < first:
        return {name}
    out, depth = "", 0
    for c in name:
        if c == "[":
            if depth == 0:
                out += "[...]"
            depth += 1
        elif c == "]":
            depth -= 1
        elif depth == 0:
            out += c
    return {name[:first] + "[...]" + name[last + 1:], out, name}
