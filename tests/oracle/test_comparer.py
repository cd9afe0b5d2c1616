#!/usr/bin/env python3
"""tests/lib/values.py sees a false value where there is one, and none where there is none."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import values  # noqa: E402


def number(value, **more):
    return dict({"type": "int", "kind": "int", "value": value}, **more)


def text(value, **more):
    return dict({"type": "string", "kind": "string", "value": value, "length": len(value.encode())}, **more)


def listed(*elements, **more):
    return dict({"type": "[]int", "kind": "slice", "length": len(elements), "elements": list(elements)}, **more)


def mapped(*pairs, **more):
    return dict({"type": "map[string]int", "kind": "map", "length": len(pairs),
                 "entries": [{"key": key, "value": value} for key, value in pairs]}, **more)


def pointing(where, **more):
    return dict({"type": "*int", "kind": "pointer", "pointer": where}, **more)


def real(value, **more):
    return dict({"type": "float64", "kind": "float", "value": value}, **more)


def channel(**more):
    return dict({"type": "chan int", "kind": "chan", "pointer": "0x1000", "length": 2, "capacity": 4}, **more)


TRUTH = values.Truth({
    "o.1": {"at": "0xc000 int", "v": number("7")},
    "c.1": {"at": "0x1000", "length": 2, "closed": False, "elements": [number("1"), number("2")],
            "send_queue": [], "receive_queue": [{"goroutine": 5}, {"goroutine": 6}]},
})
WANT_LIST, WANT_MAP = listed(number("1"), number("2")), mapped((text("a"), number("1")), (text("b"), number("2")))
WANT_TO = pointing("0xc000", object="0xc000 int")
NAN, HEX = real("NaN", bits=64), {"type": "string", "kind": "string", "length": 3, "hex": "61ff62"}
IFACE = {"type": "error", "kind": "interface", "dynamic_type": "*int", "dynamic_value": WANT_TO}
# (what, shown, in truth, how many false values)
TABLE = [
    ("a number", number(5), number("5"), 0),
    ("another number", number(6), number("5"), 1),
    ("a large number as text", number("9007199254740993"), number("9007199254740993"), 0),
    ("a large number as a number", number(9007199254740993), number("9007199254740993"), 1),
    ("another type", number(5, type="int8"), number("5"), 1),
    ("no value", {"type": "int", "kind": "int"}, number("5"), 1),
    ("a reason", {"type": "int", "kind": "int", "unavailable": "clobbered"}, number("5"), 0),
    ("a reason and a value", number(5, unavailable="clobbered"), number("5"), 1),
    ("true as 1", {"type": "bool", "kind": "bool", "value": 1}, {"type": "bool", "kind": "bool", "value": True}, 1),
    ("not a number", real("NaN"), NAN, 0),
    ("zero for not a number", real(0), NAN, 1),
    ("zero without its sign", real(0), real("-0", bits=64), 1),
    ("a float32 by its own digits", dict(real(0.1), type="float32"), dict(real("0.1", bits=32), type="float32"), 0),
    ("complex", {"type": "complex128", "kind": "complex", "value": "(1-2i)"},
     {"type": "complex128", "kind": "complex", "real": "1", "imaginary": "-2", "bits": 64}, 0),
    ("complex, other sign", {"type": "complex128", "kind": "complex", "value": "(1+2i)"},
     {"type": "complex128", "kind": "complex", "real": "1", "imaginary": "-2", "bits": 64}, 1),
    ("a text", text("abc"), text("abc"), 0),
    ("a cut text", dict(text("ab"), length=3, truncated=True), text("abc"), 0),
    ("a cut text, not marked", dict(text("ab"), length=3), text("abc"), 1),
    ("a cut text, other length", dict(text("ab"), length=4, truncated=True), text("abc"), 1),
    ("escaped bytes", dict(text("a\\xffb"), length=3, escaped=True), HEX, 0),
    ("replaced bytes", dict(text("a\ufffdb"), length=3), HEX, 1),
    ("a list", listed(number(1), number(2)), WANT_LIST, 0),
    ("one element wrong", listed(number(1), number(3)), WANT_LIST, 1),
    ("an element left out", dict(listed(number(1)), length=2), WANT_LIST, 1),
    ("an element cut off", dict(listed(number(1)), length=2, truncated=True), WANT_LIST, 0),
    ("a map in another order", mapped((text("b"), number(2)), (text("a"), number(1))), WANT_MAP, 0),
    ("a map's value wrong", mapped((text("b"), number(1)), (text("a"), number(1))), WANT_MAP, 1),
    ("a key twice", mapped((text("a"), number(1)), (text("a"), number(1))), WANT_MAP, 1),
    ("an entry left out", dict(mapped((text("a"), number(1))), length=2), WANT_MAP, 1),
    ("a deleted entry", mapped((text("b"), number(2)), (text("a"), number(1)), (text("c"), number(3))), WANT_MAP, 1),
    ("a target", pointing("0xc000", target=number(7, address="0xc000")), WANT_TO, 0),
    ("another target", pointing("0xc000", target=number(8, address="0xc000")), WANT_TO, 1),
    ("a target elsewhere", pointing("0xc000", target=number(7, address="0xd000")), WANT_TO, 1),
    ("another address", pointing("0xd000", target=number(7, address="0xd000")), WANT_TO, 1),
    ("nil", pointing("0x0", nil=True), WANT_TO, 1),
    ("no target, and why", pointing("0xc000", unavailable="not kept alive"), WANT_TO, 0),
    ("no target, other pointer", pointing("0xc008", unavailable="not kept alive"), WANT_TO, 1),
    ("same as what is written", {"type": "int", "kind": "int", "same_as": "0xe000"}, number("9"), 0),
    ("same as something else", {"type": "int", "kind": "int", "same_as": "0xe000"}, number("8"), 1),
    ("same as nothing", {"type": "int", "kind": "int", "same_as": "0xf000"}, number("9"), 1),
    ("an interface", dict(IFACE, dynamic_value=pointing("0xc000", truncated=True)), IFACE, 0),
    ("an interface of another type", dict(IFACE, dynamic_type="*uint"), IFACE, 1),
    ("a channel", channel(elements=[number(1), number(2)], closed=False), channel(), 0),
    ("a channel's dead slot", channel(elements=[number(1), number(3)]), channel(), 1),
    ("a queue", channel(receive_queue=[{"goroutine": 5}, {"goroutine": 6}]), channel(), 0),
    ("a queue, backwards", channel(receive_queue=[{"goroutine": 6}, {"goroutine": 5}]), channel(), 1),
    ("a queue cut off", channel(receive_queue=[{"goroutine": 5}], truncated=True), channel(), 0),
    ("closed", channel(closed=True), channel(), 1),
    ("a ring", channel(receive_index=3, send_index=1), channel(), 0),
    ("a ring that does not meet", channel(receive_index=3, send_index=2), channel(), 1),
    ("an internal length", mapped((text("a"), number(1)), (text("b"), number(2)),
                                  internals=[{"name": "used", "value": number(3)}]), WANT_MAP, 1),
    ("a function where no memory is", {"type": "func()", "kind": "func", "pointer": "0x18b"},
     {"type": "func()", "kind": "func"}, 1),
    ("a secret", dict(text("x"), length=3, redacted=True), text("abc"), 0),
    ("a secret's length", dict(text("x"), length=4, redacted=True), text("abc"), 1),
]


def main():
    fine = True
    for what, shown, want, count in TABLE:
        comparer = values.Comparer(TRUTH, {("0xe000", "int"): number(9, address="0xe000")})
        comparer.value(shown, want, "x")
        if len(comparer.false) != count:
            print(f"{what}: {len(comparer.false)} false, wanted {count}: {comparer.false}")
            fine = False
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
