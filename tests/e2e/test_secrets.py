#!/usr/bin/env python3
"""Secrets of a crashed program (testdata/programs/secrets) leave it by no way: not in the snapshot, in
any format and with any caps, not in what the command says, not in the daemon's log nor in what
it uploads. Each secret is unlike every other text, so its bytes are searched for; any ten of them
in a row are a leak, also as numbers, as hexadecimal words, or in base64. What only looks like a
secret stays, and of what is hidden type and length stay.
"""
import base64
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import crash  # noqa: E402
import values  # noqa: E402
from bench import BUILD, Bench  # noqa: E402

CORESNAP = os.path.join(BUILD, "coresnap")
WINDOW = 10  # so many bytes of a secret in a row have leaked
WORD = 8
GIVEN = {"--password": "wQ7zPxArgSeparate41", "--api-key": "kT5mArgJoined8871Zs", "URL": "hV2nArgUrl66Qpd",
         "Authorization": "rB8cArgHeader90KwYtLm", "DB_PASSWORD": "jX4dEnvPassword17Lq",
         "AWS_SECRET_ACCESS_KEY": "mF6sEnvAws83JcRvTyUb", "SETTING": "nK9gEnvPlain24WdHe",
         "GODEBUG": "pL3rEnvGodebug55Ua"}
FORMATS = ("json", "text", "summary")
OPTIONS = os.environ.get("VALUES_OPTIONS", "--globals main.*").split()
MANY = ["--max-string", "4096", "--max-elements", "1000", "--max-depth", "12"]
FEW = ["--max-string", "16", "--max-elements", "3"]
CAPS = {"json": ([], MANY, FEW), "text": ([], ["--full"], ["--full", *MANY], ["--full", *FEW]), "summary": ([], MANY)}
# Without optimisation all of these are shown: function, variable, type, length of what is hidden.
HIDDEN = [("main.holdVariables", "password", "string", 24), ("main.holdVariables", "authToken", "[]uint8", 24),
          ("main.holdVariables", "api_key", "string", 24), ("main.holdVariables", "passwd", "string", 24),
          ("main.holdVariables", "typed", "main.Password", 24), ("main.holdVariables", "key", "main.SecretKey", 24),
          ("main.login", "password", "string", 24), ("main.setPassword", "value", "string", 24)]


def needles(name, text):
    """What a leak of this secret would look like: (what it is, bytes)."""
    raw = text.encode()
    for i in range(max(1, len(raw) - WINDOW + 1)):
        yield name, raw[i:i + WINDOW]
    if raw.isdigit():
        return
    yield name + " in hexadecimal", raw.hex()[:2 * WINDOW].encode()
    for shift in range(3):
        whole = base64.b64encode(raw[shift:shift + 12])
        yield name + " in base64", whole
    for i in range(0, len(raw) - WORD + 1, WORD):
        for order in ("little", "big"):
            word = int.from_bytes(raw[i:i + WORD], order)
            yield name + " as a word", b"%x" % word
            yield name + " as a number", b"%d" % word


def numbers(value, found):
    """Lists of small numbers in the JSON, as the bytes that they may stand for."""
    if isinstance(value, dict):
        if "elements" in value:
            codes = [element.get("value") for element in value["elements"]]
            if codes and all(isinstance(code, int) and 0 <= code < 256 for code in codes):
                found.append(bytes(codes))
        for one in value.values():
            numbers(one, found)
    elif isinstance(value, list):
        for one in value:
            numbers(one, found)
    return found


class Search:
    """All needles at once: a secret's windows by their first bytes."""

    def __init__(self, secrets):
        self.index = {}
        for name, text in secrets.items():
            for what, needle in needles(name, text):
                self.index.setdefault(needle, what)
        self.pattern = re.compile(b"|".join(re.escape(needle) for needle in sorted(self.index)))

    def leaks(self, where, output):
        found = {}
        for match in self.pattern.finditer(output):
            start = max(0, match.start() - 60)
            found.setdefault(self.index[match.group(0)], output[start:match.end() + 20])
        return [f"{where}: {what} leaks: …{context!r}" for what, context in sorted(found.items())]


def analyze(made, *options):
    done = subprocess.run([CORESNAP, "analyze", "--exe", str(made.exe), *options, str(made.core)],
                          capture_output=True, check=False, timeout=120)
    if done.returncode != 0:
        raise crash.Failed(done.stderr.decode(errors="replace").strip()[-500:])
    return done.stdout, done.stderr


def innocents(made, output):
    """Each harmless text that the variables of an unoptimised build show."""
    text = output.decode()
    return [f"json: the innocent {name} is gone" for name, want in sorted(made.truth.items())
            if name.startswith("innocent.") and want not in text and want.replace(" ", "-") not in text]


def hidden(snapshot):
    """Type and length of what is hidden stay, and say so."""
    wrong, shown = [], {}
    for row in snapshot["goroutines"]:
        if row["stack"] is None:
            continue
        stack = snapshot["stacks"][row["stack"]]
        for variable in row["variables"] or []:
            function = snapshot["frames"][stack[variable["frame"]]]["function"]
            shown[function, variable["name"]] = variable["value"]
    for function, name, kind, length in HIDDEN:
        got = shown.get((function, name), {})
        if not got.get("redacted") or not values.same_type(got.get("type"), kind) or got.get("length") != length:
            wrong.append(f"json: {function} {name}: {json.dumps(got)[:120]}, wanted redacted {kind} of length {length}")
    return wrong


def by_command(made, search, flags):
    wrong = []
    for format_name in FORMATS:
        for options in CAPS[format_name]:
            output, said = analyze(made, "--format", format_name, *OPTIONS, *options)
            where = f"{flags} {format_name} {' '.join(options)}"
            wrong += search.leaks(where, output) + search.leaks(where + " stderr", said)
            if "--full" in options and flags != "stripped" and b"\n\t    " not in output:
                wrong.append(f"{where}: shows no variables")
            if format_name == "json":
                snapshot = json.loads(output)
                wrong += search.leaks(where + " elements", b"\n".join(numbers(snapshot, [])))
                if flags == "noopt" and options == MANY:
                    wrong += innocents(made, output) + hidden(snapshot)
    return wrong


def by_daemon(made, search):
    """Through coresnapd to the store: its log, and the bytes of what it stores."""
    with Bench(analyzer=CORESNAP) as bench:
        shutil.copy(made.exe, bench.path("bin/app"))
        shutil.copy(made.core, bench.path("core.new"))
        bench.start()
        os.rename(bench.path("core.new"), bench.path("cores/core.1"))
        bench.until_objects(1, 25)
        bench.until_idle()
        bench.stop()
        wrong = search.leaks("log", bench.log().encode())
        for name, body in bench.store.objects.items():
            plain = subprocess.run(["zstd", "-dc"], input=body, stdout=subprocess.PIPE, check=True).stdout
            wrong += search.leaks(name, name.encode() + b"\n" + plain)
        return wrong


def main():
    wrong, count = [], 0
    for flags in os.environ.get("SECRETS_FLAGS", "default noopt stripped").split():
        try:
            made = crash.crash(crash.Case("secrets", flags=flags))
        except crash.Skip as skip:
            print(f"skipped: {skip}")
            return 77
        except crash.Failed as error:
            print(error)
            return 1
        secrets = {name: text for name, text in made.truth.items() if name.startswith("secret.")}
        secrets.update(GIVEN)
        count = len(set(secrets.values()))
        search = Search(secrets)
        try:
            found = by_command(made, search, flags)
            if flags == "default":
                found += by_daemon(made, search)
        except crash.Failed as error:
            found = [str(error)]
        print(f"{flags:<9} {count} secrets: {'none leaks' if not found else f'{len(found)} complaints'}")
        wrong += found
    for line in wrong[:60]:
        print("    " + line)
    return 1 if wrong or count < 40 else 0


if __name__ == "__main__":
    sys.exit(main())
