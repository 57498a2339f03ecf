"""The language of ``tcpnotes explain --filter``: comparisons of named fields, with and, or, not and brackets.

    how = unread_data and port = 443
    host = 192.168.0.0/16 and (duration > 10 or tag = fin_retransmitted)

An expression becomes a function; nothing in it is ever run as code.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple, TypeAlias

from tcpnotes.capture.errors import CaptureError
from tcpnotes.capture.explain import Explained
from tcpnotes.capture.verdict import HOWS, TAGS

Test: TypeAlias = Callable[[Explained], bool]

GRAMMAR = r"""
?start: or
?or: and ("or" and)*
?and: not ("and" not)*
?not: "not" not -> negate
    | "(" or ")"
    | NAME OP VALUE -> compare
NAME: /[a-z_]+(?=\s*(!=|<=|>=|[=<>]))/
OP: "!=" | "<=" | ">=" | "=" | "<" | ">"
VALUE: /[^\s()=<>!]+/
%import common.WS
%ignore WS
"""
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_LONGEST = 1000


class _Field(NamedTuple):
    """``values`` gives what a connection has; ``read`` turns the text of an expression into something to compare."""

    meaning: str
    values: Callable[[Explained], tuple[Any, ...]]
    read: Callable[[str], Any]
    ordered: bool = False


def _choice(*allowed: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"choose one of: {', '.join(allowed)}")
        return text

    return read


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise ValueError("this takes a whole number")
    return int(text)


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("this takes a number of seconds") from None


def _network(text: str) -> Any:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise ValueError("this takes an address, or a network such as 10.0.0.0/8") from None


FIELDS: dict[str, _Field] = {
    "number": _Field("the connection's number", lambda e: (e.connection.number,), _whole, True),
    "host": _Field(
        "an address of either end, or a network that holds one",
        lambda e: tuple(ip_address(end.addr) for end in e.connection.ends), _network,
    ),
    "port": _Field("a port of either end", lambda e: tuple(end.port for end in e.connection.ends), _whole, True),
    "how": _Field("how it was closed", lambda e: (e.verdict.how,), _choice(*HOWS)),
    "maybe": _Field("what it could be as well", lambda e: e.verdict.maybe, _choice(*HOWS)),
    "kind": _Field("how, or maybe", lambda e: (e.verdict.how, *e.verdict.maybe), _choice(*HOWS)),
    "tag": _Field("what else was seen", lambda e: e.verdict.tags, _choice(*TAGS)),
    "closer": _Field(
        "who closed first", lambda e: (e.verdict.closer or "none",), _choice("A", "B", "both", "none")
    ),
    "item": _Field("an item of the source", lambda e: tuple(i for s in e.verdict.statements for i in s.items), str),
    "packet": _Field(
        "a packet between its first and its last one", lambda e: (e.connection.first.number, e.connection.last.number),
        _whole, True,
    ),
    "packets": _Field("how many packets", lambda e: (e.connection.packets,), _whole, True),
    "bytes": _Field("payload of both ends", lambda e: (sum(end.data for end in e.connection.ends),), _whole, True),
    "resets": _Field("how many RSTs", lambda e: (e.connection.resets,), _whole, True),
    "duration": _Field(
        "seconds from its first packet to its last", lambda e: ((e.connection.last.t - e.connection.first.t) / 1e9,),
        _seconds, True,
    ),
}  # fmt: skip


def parse_filter(text: str) -> Test:
    """The test that an expression describes; a `CaptureError` with the column for one that is wrong."""
    lark, parser = _parser()
    if len(text) > _LONGEST:
        raise CaptureError(f"--filter: an expression has {_LONGEST} characters at most.")
    try:
        return _test(parser.parse(text))
    except lark.UnexpectedInput as error:
        if getattr(getattr(error, "token", None), "type", "") == "$END":
            where = f"column {len(text) + 1}: the expression ends too early, {_FORM} was expected"
        else:
            where = f"column {error.column}: {_FORM} was expected here"
        raise CaptureError(f"--filter: {where}.") from None
    except RecursionError:
        raise CaptureError("--filter: the expression is nested too deep.") from None


_FORM = "a comparison such as port=443 (with and, or, not, brackets)"


@cache
def _parser() -> tuple[Any, Any]:
    try:
        import lark
    except ImportError:
        raise CaptureError("--filter needs the library lark: pip install 'tcpnotes[capture]'.") from None
    return lark, lark.Lark(GRAMMAR, parser="lalr")


def _test(tree: Any) -> Test:
    """A tree of lark as a function."""
    if tree.data == "compare":
        return _compare(*tree.children)
    tests = [_test(child) for child in tree.children]
    if tree.data == "negate":
        return lambda e: not tests[0](e)
    if tree.data == "and":
        return lambda e: all(test(e) for test in tests)
    return lambda e: any(test(e) for test in tests)


def _compare(name: Any, sign: Any, value: Any) -> Test:
    field = FIELDS.get(str(name))
    if field is None:
        raise CaptureError(
            f"--filter: column {name.column}: there is no field {str(name)!r}; there are: {', '.join(FIELDS)}."
        )
    if not field.ordered and sign not in ("=", "!="):
        raise CaptureError(f"--filter: column {sign.column}: {name} can be compared by = and != only.")
    try:
        wanted = field.read(str(value))
    except ValueError as error:
        raise CaptureError(f"--filter: column {value.column}: {str(value)!r} is no {name}: {error}.") from None
    values = field.values
    if name == "packet" and sign in ("=", "!="):
        same = sign == "="
        return lambda e: (values(e)[0] <= wanted <= values(e)[1]) is same
    compare = _OPERATORS[str(sign)]
    if name == "host":
        return lambda e: any(a in wanted for a in values(e)) is (sign == "=")
    if sign == "!=":  # none of them is it
        return lambda e: all(found != wanted for found in values(e))
    return lambda e: any(compare(found, wanted) for found in values(e))
