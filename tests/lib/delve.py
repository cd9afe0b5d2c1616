"""Delve beside us on the same core: its JSON-RPC server, and its variables as Values of a snapshot."""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time

import crash

TOOLS = crash.ROOT / "build" / "tools"
MODULE = "github.com/go-delve/delve/cmd/dlv@v1.27.2"
KINDS = {1: "bool", 13: "float", 14: "float", 15: "complex", 16: "complex", 17: "array", 18: "chan", 19: "func",
         20: "interface", 21: "map", 22: "pointer", 23: "slice", 24: "string", 25: "struct", 26: "unsafe-pointer"}
KINDS.update({kind: "int" for kind in range(2, 7)})
KINDS.update({kind: "uint" for kind in range(7, 13)})
CONFIG = {"FollowPointers": True, "MaxVariableRecurse": 2, "MaxStringLen": 256, "MaxArrayValues": 64,
          "MaxStructFields": -1}
SMALL = dict(CONFIG, MaxVariableRecurse=1, MaxStringLen=64, MaxArrayValues=8)


def path():
    """The path of dlv, installed once; raises Skip where it cannot be had."""
    found = TOOLS / "dlv"
    if found.exists():
        return found
    if not shutil.which("go"):
        raise crash.Skip("no Go on this machine")
    TOOLS.mkdir(parents=True, exist_ok=True)
    env = dict(os.environ, GOBIN=str(TOOLS), GOFLAGS="", GOTOOLCHAIN="auto", CGO_ENABLED="0")
    done = subprocess.run(["go", "install", MODULE], env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not found.exists():
        raise crash.Skip(f"delve cannot be had: {done.stderr.strip().splitlines()[-1:]}")
    return found


class Delve:
    """A headless dlv on one core; use it with `with`. `cpu` is what it took, once it has ended."""

    def __init__(self, exe, core):
        self.command = [str(path()), "core", "--headless", "--api-version=2", "--check-go-version=false",
                        "--listen=127.0.0.1:0", str(exe), str(core)]
        self.bytes = self.sent = 0
        self.cpu = None

    def __enter__(self):
        env = dict(os.environ, XDG_CONFIG_HOME=str(TOOLS), HOME=str(TOOLS))
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, env=env)
        for line in self.process.stdout:
            match = re.search(rb"listening at: 127\.0\.0\.1:(\d+)", line)
            if match:
                self.socket = socket.create_connection(("127.0.0.1", int(match.group(1))))
                self.file = self.socket.makefile("rb")
                return self
        raise crash.Failed(f"delve does not read this core: status {self.process.wait()}")

    def __exit__(self, *failure):
        self.socket.close()
        self.process.terminate()
        try:
            _, _, usage = os.wait4(self.process.pid, 0)
            self.cpu = usage.ru_utime + usage.ru_stime
        finally:
            self.process.returncode = 0

    def call(self, method, **parameters):
        self.sent += 1
        self.socket.sendall(json.dumps({"method": "RPCServer." + method, "params": [parameters],
                                        "id": self.sent}).encode())
        line = self.file.readline()
        self.bytes += len(line)
        answer = json.loads(line)
        if answer.get("error"):
            raise crash.Failed(f"delve: {method}: {answer['error']}")
        return answer["result"]

    def goroutines(self):
        return self.call("ListGoroutines", Start=0, Count=0)["Goroutines"]

    def frames(self, goroutine, depth=50, config=None):
        """Its frames, innermost first, each with Arguments and Locals; inlined ones stand alone."""
        found = self.call("Stacktrace", Id=goroutine, Depth=depth, Full=True, Cfg=config or CONFIG)
        return found["Locations"] or []


def short_type(name):
    """As reflect prints it: without the directories of package paths, and a major version's."""
    name = re.sub(r"(\w)/v\d+\.", r"\1.", name)
    return re.sub(r"[\w.~-]+(?:/[\w.~-]+)*/", "", name.replace("%2e", "."))


def function_of(frame):
    return (frame.get("function") or {}).get("name", "")


def is_invented(variable):
    """Whether a part of it has no location: delve then shows zero for that part."""
    located = False
    for word in variable.get("LocationExpr", "").partition("]")[2].split():
        if word == "DW_OP_piece":
            if not located:
                return True
            located = False
        elif word.startswith("DW_OP_"):
            located = True
    return False


def is_readable(variable):
    if is_invented(variable):
        return False
    return not variable.get("unreadable") and not (variable["kind"] == 25 and any(
        not is_readable(child) for child in variable["children"]))


def value(variable):
    """A delve variable as a Value of a snapshot."""
    kind = KINDS.get(variable["kind"], "unknown")
    got = {"type": short_type(variable["type"]), "kind": kind}
    if variable["addr"]:
        got["address"] = hex(variable["addr"])
    if variable.get("unreadable"):
        return dict(got, unavailable=variable["unreadable"])
    if variable.get("onlyAddr") and kind not in ("pointer", "interface"):
        return dict(got, truncated=True, unavailable="budget")
    convert = {"bool": _scalar, "int": _scalar, "uint": _scalar, "float": _scalar, "complex": _scalar,
               "string": _string, "slice": _list, "array": _list, "map": _map, "struct": _struct, "pointer": _pointer,
               "interface": _interface, "chan": _chan, "func": _func, "unsafe-pointer": _pointer}.get(kind)
    if convert:
        convert(variable, got)
    return got


def _scalar(variable, got):
    text = variable["value"]
    if got["kind"] == "bool":
        got["value"] = text == "true"
    elif got["kind"] in ("int", "uint"):
        number = int(re.search(r"^-?\d+|\((-?\d+)\)$", text).group(0).strip("()"))  # 100 'd', March (3)
        got["value"] = number if abs(number) <= 1 << 53 else str(number)
    elif got["kind"] == "complex":
        real, imaginary = (child["value"] for child in variable["children"][:2])
        got["value"] = f"({real}{'' if imaginary[0] in '+-' else '+'}{imaginary}i)"
    else:
        got["value"] = text


def _string(variable, got):
    got["length"], got["value"] = variable["len"], variable["value"]
    if len(variable["value"].encode()) != variable["len"]:
        got["truncated"] = True
        if len(variable["value"].encode()) > variable["len"] or "\ufffd" in variable["value"]:
            del got["value"]  # its JSON has lost the bytes


def _list(variable, got):
    got["length"] = variable["len"]
    if got["kind"] == "slice":
        got["capacity"], got["pointer"] = variable["cap"], hex(variable["base"])
        if not variable["base"]:
            got["nil"] = True
    got["elements"] = [value(child) for child in variable["children"]]
    if len(got["elements"]) < got["length"]:
        got["truncated"] = True


def _map(variable, got):
    got["length"] = variable["len"]
    if not variable["base"]:
        got["nil"] = True
    children = [value(child) for child in variable["children"]]
    got["entries"] = [{"key": key, "value": one} for key, one in zip(children[::2], children[1::2])]
    if len(got["entries"]) < got["length"]:
        got["truncated"] = True


def _struct(variable, got):
    got["fields"] = [{"name": child["name"].split(".")[-1], "value": value(child)} for child in variable["children"]]
    if len(got["fields"]) < variable["len"]:
        got["truncated"] = True
        del got["fields"]


def _pointer(variable, got):
    if got["kind"] == "unsafe-pointer":
        target = variable["children"][0]["addr"] if variable["children"] else int(variable["value"] or "0", 0)
    else:
        target = variable["children"][0]["addr"] if variable["children"] else 0
    got["pointer"] = hex(target)
    if not target:
        got["nil"] = True
    elif got["kind"] == "pointer":
        if variable["children"][0].get("onlyAddr"):
            got["truncated"] = True
        else:
            got["target"] = value(variable["children"][0])


def _interface(variable, got):
    child = variable["children"][0] if variable["children"] else None
    if child is None or child["kind"] == 0 and not child["addr"]:
        got["nil"] = True
        return
    if child["type"]:
        got["dynamic_type"] = short_type(child["type"])
    if child.get("onlyAddr"):
        got["truncated"] = True
    else:
        got["dynamic_value"] = value(child)


def _chan(variable, got):
    """Length and capacity only: its elements are the ring's slots, dead ones too."""
    if not variable["base"] and not variable["children"]:
        got["nil"] = True
        return
    fields = {child["name"]: child["value"] for child in variable["children"]}
    if "qcount" in fields:
        got["length"], got["capacity"] = int(fields["qcount"]), int(fields["dataqsiz"])


def _func(variable, got):
    if not variable["base"] and not variable["value"]:
        got["nil"] = True
    got["function"] = variable["value"]


def as_truth(got):
    """A Value made by value() in the form that values.Comparer takes for the truth; what delve could not
    read, or left out, is open."""
    want = {"type": got["type"], "kind": got["kind"]}
    if "unavailable" in got or got["kind"] == "unknown":
        return dict(want, cut=True)
    want.update({key: got[key] for key in ("nil", "length", "capacity", "pointer", "function", "dynamic_type") if key in got})
    if got["kind"] in ("int", "uint", "bool"):
        want["value"] = got["value"] if got["kind"] == "bool" else str(got["value"])
    elif got["kind"] == "float":
        want.update(value=got["value"], bits=32 if "32" in got["type"] else 64)
    elif got["kind"] == "complex":
        return dict(want, cut=True)  # its JSON cannot tell infinities
    elif got["kind"] == "string":
        want["value"] = got.get("value", "")
    elif got["kind"] == "interface" and not got.get("nil") and "dynamic_type" not in got:
        return dict(want, cut=True)
    if "dynamic_value" in got:
        want["dynamic_value"] = as_truth(got["dynamic_value"])
    elif got["kind"] == "interface":
        want["dynamic_value"] = {"type": got.get("dynamic_type"), "kind": "", "cut": True}
    if "target" in got:
        want["target"] = as_truth(got["target"])
    if "elements" in got and all(one["type"] == "uint8" and "value" in one for one in got["elements"]) and got["length"]:
        want["bytes"] = {"length": got["length"], "hex": bytes(one["value"] for one in got["elements"]).hex()}
    elif "elements" in got:
        want["elements"] = [as_truth(element) for element in got["elements"]]
    if "fields" in got:
        want["fields"] = [{"name": field["name"], "value": as_truth(field["value"])} for field in got["fields"]]
    elif got["kind"] == "struct":
        return dict(want, cut=True)
    if "entries" in got:
        if got.get("truncated"):
            return dict({"type": got["type"], "kind": "map"}, cut=True)  # which ones it took is by chance
        want["entries"] = [{"key": as_truth(entry["key"]), "value": as_truth(entry["value"])} for entry in got["entries"]]
    return want
