"""Compares the Values of a snapshot with what the program said of itself (testdata/programs/values).

Truth holds the program's lines; Comparer holds one shown Value against one true one and notes each
place where they differ. A Value that says why it is not there is missing, never false.
"""
import collections
import math
import re
import struct

LOWEST = 4096  # no program has memory below
INTERNAL = 1 << 53  # integers past it are written as strings
ESCAPES = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, "'": 39, '"': 34}
CONTEXTS = ("context.", "*context.")
ESCAPE = re.compile(rb'\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))', re.S)


class Truth:
    """What one crash's program printed."""

    def __init__(self, facts):
        self.variables = collections.defaultdict(list)  # (goroutine, function, name) to facts
        self.functions = set()  # (goroutine, function) of which all variables are known
        self.globals, self.objects, self.channels, self.other = {}, {}, {}, {}
        for name, fact in facts.items():
            kind = name.split(".")[0]
            if kind == "o":
                self.objects[fact["at"]] = fact["v"]
            elif kind == "c":
                self.channels[fact["at"]] = fact
            elif kind == "v" and fact.get("global"):
                self.globals[fact["n"]] = fact
            elif kind == "v":
                function = plain(fact["f"])
                self.variables[fact["g"], function, fact["n"]].append(fact)
                self.functions.add((fact["g"], function))
            else:
                self.other[name] = fact

    def target(self, want):
        """What a pointer points to; None where the program did not follow it."""
        return want["target"] if "target" in want else self.objects.get(want.get("object"))


def plain(function):
    """A function's name without its type arguments, which tools write in several ways."""
    out, depth = [], 0
    for c in function:
        depth += (c == "[") - (c == "]" and depth > 0)
        if depth == 0 and c != "]":
            out.append(c)
    return "".join(out)


def unquote(text):
    """The bytes that a Go-quoted string stands for, with or without its quotes."""
    def one(match):
        byte, short, long, octal, letter = match.groups()
        if byte or octal:
            return bytes([int(byte, 16) if byte else int(octal, 8)])
        if short or long:
            return chr(int(short or long, 16)).encode("utf-8", "surrogatepass")
        return bytes([ESCAPES[letter.decode()]])
    raw = text.encode("utf-8", "surrogatepass")
    if len(raw) >= 2 and raw[:1] == raw[-1:] == b'"' and not raw.endswith(b'\\"'):
        raw = raw[1:-1]
    return ESCAPE.sub(one, raw)


def shown_bytes(got):
    return unquote(got["value"]) if got.get("escaped") else got["value"].encode("utf-8", "surrogatepass")


def true_bytes(want):
    return bytes.fromhex(want["hex"]) if "hex" in want else want.get("value", "").encode()


def as_float(text, bits):
    text = str(text).replace("+Inf", "inf").replace("-Inf", "-inf").replace("Inf", "inf")
    number = float(text)
    if bits == 32 and math.isfinite(number):
        number = struct.unpack("<f", struct.pack("<f", number))[0]
    return number


def same_float(got, want, bits):
    a, b = as_float(got, bits), as_float(want, bits)
    return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))


def same_complex(got, want):
    match = re.fullmatch(r"\(?([+-]?(?:\d[\d.]*(?:e[+-]?\d+)?|Inf|NaN))([+-](?:\d[\d.]*(?:e[+-]?\d+)?|Inf|NaN))i\)?",
                         str(got))
    return match is not None and same_float(match.group(1), want["real"], want["bits"]) and \
        same_float(match.group(2), want["imaginary"], want["bits"])


def loose(name):
    """A type's name without what tools write in several ways: blanks, the directories of packages,
    the package before an unexported field of an unnamed struct."""
    name = re.sub(r"[\w.~-]+(?:/[\w.~-]+)*/", "", (name or "").replace("interface {}", "any"))
    name = re.sub(r"([{;] )\w+\.(\w+ )", r"\1\2", name)
    return re.sub(r"\s", "", name).replace("interface{}", "any")


def same_type(got, want):
    return got == want or loose(got) == loose(want) or \
        "[" in want and "go.shape" in (got or "") and plain(loose(got)) == plain(loose(want))


class Comparer:
    """`written` maps (address, type) to a Value of the same goroutine, for same_as."""

    def __init__(self, truth, written=None):
        self.truth, self.written = truth, written or {}
        self.false, self.compared, self.unchecked = [], 0, collections.Counter()
        self.missing = collections.Counter()

    def wrong(self, path, text):
        self.false.append(f"{path}: {text}")

    def is_same(self, got, want, above):
        probe = Comparer(self.truth, self.written)
        probe.value(got, want, "", above)
        return not probe.false

    def value(self, got, want, path, above=()):
        """Notes where `got` says something else than `want`, down to whatever it shows."""
        if want.get("cut") and "kind" in want and len(want) <= 3:
            self.unchecked["past the program's own depth"] += 1
            return
        if (got.get("type") or "").startswith("go.shape."):
            self.missing["shape type"] += 1  # a type argument: which one, the code itself does not know
            return
        if "go.shape." not in (got.get("type") or "") and not same_type(got.get("type"), want["type"]):
            self.wrong(path, f"type {got.get('type')!r}, in truth {want['type']!r}")
            return
        if "same_as" in got:
            there = self.written.get((got["same_as"], got["type"]))
            if there is None:
                self.wrong(path, f"same_as {got['same_as']}, where nothing of type {got['type']} is written")
            elif got["same_as"] not in above:
                self.value(there, want, path + "(same)", above + (got["same_as"],))
            return
        if "unavailable" in got:
            self.missing[got["unavailable"]] += 1
            self.word(got, want, path)
            if got.get("target") or "value" in got and got["unavailable"] != "not kept alive":
                self.wrong(path, f"is {got['unavailable']} and has a value all the same")
            return
        self.compared += 1
        if bool(got.get("nil")) != bool(want.get("nil")):
            self.wrong(path, f"nil is {bool(got.get('nil'))}, in truth {bool(want.get('nil'))}")
            return
        kinds = (want["kind"], "bytes") if "bytes" in want or want["kind"] == "slice" else (want["kind"],)
        if got.get("kind") not in kinds:
            self.wrong(path, f"kind {got.get('kind')!r}, in truth {want['kind']!r}")
            return
        self.word(got, want, path)
        self.text(got, want, path)
        if got.get("cycle"):
            self.missing["cycle"] += 1
        elif not want.get("nil"):
            self.content(got, want, path, above)

    def word(self, got, want, path):
        if "pointer" in got and want.get("nil"):
            if int(got["pointer"], 16) != 0:
                self.wrong(path, f"points to {got['pointer']}, in truth it is nil")
        elif "pointer" in got and want["kind"] in ("func", "pointer", "map", "chan") and \
                int(got["pointer"], 16) < LOWEST:
            self.wrong(path, f"points to {got['pointer']}, where nothing is")
        elif "pointer" in got and "pointer" in want and want["kind"] != "string":
            if int(got["pointer"], 16) != int(want["pointer"], 16) and want.get("length") != 0:
                self.wrong(path, f"points to {got['pointer']}, in truth to {want['pointer']}")

    def text(self, got, want, path):
        if "text" not in got:
            return
        if want["type"].startswith(CONTEXTS):
            self.unchecked["text of a context"] += 1  # its state as well: test_forms.py
        elif not want.get("texts"):
            self.unchecked["text of " + want["type"]] += 1
        elif got["text"] not in want["texts"] and not got.get("redacted"):
            self.wrong(path, f"text {got['text']!r}, in truth {want['texts']}")

    def internals(self, got, path):
        """The runtime's own fields agree with the natural form beside them."""
        inside = {one["name"]: one["value"].get("value") for one in got.get("internals", [])}
        for name in ("used", "count", "qcount", "len"):
            if name in inside and "length" in got and inside[name] != got["length"]:
                self.wrong(path, f"internal {name} {inside[name]}, but its length is {got['length']}")
        if got.get("capacity") and "send_index" in got and "length" in got:
            if (got["receive_index"] + got["length"] - got["send_index"]) % got["capacity"]:
                self.wrong(path, f"{got['length']} elements from {got['receive_index']} to {got['send_index']}")

    def content(self, got, want, path, above):
        kind = want["kind"]
        self.internals(got, path)
        for key in ("length", "capacity"):
            if got.get(key) is not None and key in want and got[key] != want[key]:
                self.wrong(path, f"{key} {got[key]}, in truth {want[key]}")
                return
        if got.get("redacted"):
            self.missing["redacted"] += 1
        elif kind in ("bool", "int", "uint", "float", "complex"):
            self.scalar(got, want, path)
        elif kind == "string" or "bytes" in want and "value" in got:
            self.string(got, want.get("bytes", want), path)
        elif kind in ("slice", "array"):
            self.elements(got, want, path, above)
        elif kind == "map":
            self.entries(got, want, path, above)
        elif kind == "struct":
            self.fields(got, want, path, above)
        elif kind == "pointer":
            self.pointer(got, want, path, above)
        elif kind == "interface":
            self.interface(got, want, path, above)
        elif kind == "chan":
            self.channel(got, want, path)
        elif kind == "func":
            self.function(got, want, path, above)

    def scalar(self, got, want, path):
        if "value" not in got:
            self.wrong(path, "has no value")
            return
        value, kind = got["value"], want["kind"]
        if kind == "bool":
            fine = value is want["value"]
        elif kind == "float":
            fine = same_float(value, want["value"], want["bits"])
        elif kind == "complex":
            fine = same_complex(value, want)
        else:
            number = int(want["value"])
            fine = value == (number if abs(number) <= INTERNAL else str(number))
        if not fine:
            self.wrong(path, f"{value!r}, in truth {want.get('value', want.get('real'))!r}")

    def string(self, got, want, path):
        if "value" not in got:
            self.missing["truncated"] += 1 if got.get("truncated") else 0
            if not got.get("truncated"):
                self.wrong(path, "has no value")
            return
        ours, true = shown_bytes(got), true_bytes(want)
        whole = len(ours) == want["length"]
        if not whole and not got.get("truncated"):
            self.wrong(path, f"{len(ours)} bytes of {want['length']}, but not marked truncated")
        elif ours[:len(true)] != true[:len(ours)] or len(ours) > want["length"]:
            self.wrong(path, f"{ours[:80]!r}, in truth {true[:80]!r}")

    def cut(self, got, shown, total, path):
        """Whether a list that shows `shown` of `total` says so where it leaves some out."""
        if shown < total and not got.get("truncated"):
            self.wrong(path, f"shows {shown} of {total} and is not marked truncated")
        elif shown > total:
            self.wrong(path, f"shows {shown} of {total}")
        else:
            return True
        return False

    def elements(self, got, want, path, above):
        shown = got.get("elements", [])
        true = want.get("elements")
        if true is None:
            true = [{"type": "uint8", "kind": "uint", "value": str(b)} for b in true_bytes(want["bytes"])]
        if self.cut(got, len(shown), want["length"], path):
            for i, one in enumerate(shown):
                if i < len(true):
                    self.value(one, true[i], f"{path}[{i}]", above)

    def entries(self, got, want, path, above):
        shown = got.get("entries", [])
        if not self.cut(got, len(shown), want["length"], path):
            return
        index, used = collections.defaultdict(list), set()
        for i, entry in enumerate(want["entries"]):
            index[hint(entry["key"])].append(i)
        for entry in shown:
            name = f"{path}[{brief(entry['key'])}]"
            found = [i for i in index.get(hint(entry["key"]), range(len(want["entries"])))
                     if i not in used and self.is_same(entry["key"], want["entries"][i]["key"], above)]
            if not found:
                self.wrong(name, "no such key")
                continue
            best = next((i for i in found
                         if self.is_same(entry["value"], want["entries"][i]["value"], above)), found[0])
            if "unavailable" not in entry["key"]:
                used.add(best)
            self.value(entry["key"], want["entries"][best]["key"], name + ".key", above)
            self.value(entry["value"], want["entries"][best]["value"], name, above)

    def fields(self, got, want, path, above):
        if "fields" not in got:
            if not got.get("truncated") and "text" not in got and want["fields"]:
                self.wrong(path, "has no fields")
            self.missing["truncated"] += bool(got.get("truncated"))
            return
        if not self.cut(got, len(got["fields"]), len(want["fields"]), path):
            return
        for ours, true in zip(got["fields"], want["fields"]):
            if ours["name"] != true["name"]:
                self.wrong(path, f"field {ours['name']}, in truth {true['name']}")
                return
            if ours["name"] != "_":
                self.value(ours["value"], true["value"], f"{path}.{ours['name']}", above)

    def pointer(self, got, want, path, above):
        target = got.get("target")
        if target is None:
            self.missing["truncated" if got.get("truncated") else "no target"] += 1
            return
        if target.get("address") and target["address"] != got.get("pointer"):
            self.wrong(path, f"its target lies at {target['address']}, but it points to {got.get('pointer')}")
        true = self.truth.target(want)
        if true is None:
            self.unchecked["target of " + want["type"]] += 1
        else:
            self.value(target, true, "*" + path, above)

    def interface(self, got, want, path, above):
        if "dynamic_type" not in got:
            if not got.get("truncated"):
                self.wrong(path, "has no dynamic type")
            self.missing["truncated"] += 1
            return
        if not same_type(got["dynamic_type"], want["dynamic_type"]):
            self.wrong(path, f"holds a {got['dynamic_type']}, in truth a {want['dynamic_type']}")
        elif "dynamic_value" in got:
            self.value(got["dynamic_value"], want["dynamic_value"], f"{path}.({want['dynamic_type']})", above)
        else:
            self.missing["truncated" if got.get("truncated") else "no dynamic value"] += 1

    def function(self, got, want, path, above):
        if got.get("function") and plain(got["function"]) != plain(want.get("function", got["function"])):
            self.wrong(path, f"function {got['function']}, in truth {want['function']}")
        for field in got.get("fields", []):
            true = want.get("captured", {}).get(field["name"].lstrip("&"))
            if true is None:
                self.unchecked["captured variables"] += 1
            else:
                self.value(field["value"], true, f"{path}.{field['name']}", above)

    def channel(self, got, want, path):
        """Elements and queues, where the program knows them."""
        if "elements" in want:
            for i, (ours, one) in enumerate(zip(got.get("elements", []), want["elements"])):
                self.value(ours, one, f"{path}<{i}>")
            return
        true = self.truth.channels.get(got.get("pointer") or got.get("address"))
        if true is None:
            self.unchecked["queues of a channel"] += 1
            return
        if "closed" in got and got["closed"] != true["closed"]:
            self.wrong(path, f"closed is {got['closed']}, in truth {true['closed']}")
        if "elements" in got and self.cut(got, len(got["elements"]), true["length"], path):
            for i, (ours, one) in enumerate(zip(got["elements"], true["elements"])):
                self.value(ours, one, f"{path}<{i}>")
        for queue in ("send_queue", "receive_queue"):
            if queue not in got:
                continue
            ids = [waiter["goroutine"] for waiter in got[queue]]
            wanted = [waiter["goroutine"] for waiter in true[queue]]
            if ids != wanted[:len(ids)] or len(ids) < len(wanted) and not got.get("truncated"):
                self.wrong(path, f"{queue} {ids}, in truth {wanted}")
                continue
            for waiter, one in zip(got[queue], true[queue]):
                if waiter.get("value") is not None and "value" in one:
                    self.value(waiter["value"], one["value"], f"{path}.{queue}[{waiter['goroutine']}]")


def hint(value):
    """What equal keys of a map have in common; None where it is not easy to say."""
    if value.get("kind") in ("int", "uint", "bool") and "value" in value:
        return str(value["value"])
    if value.get("kind") == "string" and "value" in value and not value.get("escaped") and \
            len(value["value"].encode("utf-8", "surrogatepass")) == value.get("length"):
        return "s" + value["value"]
    return None


def brief(value):
    return str(value.get("value", value.get("pointer", value.get("kind"))))[:40]


def written(variables):
    """Every Value of a goroutine's list that same_as may refer to: (address, type) to itself."""
    found, todo = {}, [variable["value"] for variable in variables]
    while todo:
        value = todo.pop()
        if value.get("address") and "same_as" not in value:
            found.setdefault((value["address"], value["type"]), value)
        if value.get("kind") in ("slice", "bytes", "map") and "same_as" not in value and value.get("pointer"):
            found.setdefault((value["pointer"], value["type"]), value)
        for key in ("target", "dynamic_value"):
            if value.get(key):
                todo.append(value[key])
        todo += value.get("elements", [])
        for entry in value.get("entries", []):
            todo += [entry["key"], entry["value"]]
        todo += [field["value"] for field in value.get("fields", [])]
        todo += [waiter["value"] for waiter in value.get("send_queue", []) if waiter.get("value")]
    return found


def is_readable(value):
    """Whether all that the variable itself holds can be seen (what it points to may be gone)."""
    if "unavailable" in value and value["unavailable"] != "not kept alive":
        return False
    return all(is_readable(field["value"]) for field in value.get("fields", [])
               if value.get("kind") == "struct")
