"""Blocks ``%{ … }%``: assertions on struct tcp_info, worked out without running foreign code.

The text is parsed by Python's own parser and then walked: names, numbers, comparisons,
sums, ``and``, ``or``, ``not``, ``assert``, ``if`` and assignments are understood, all
else is refused in a sentence.
"""

from __future__ import annotations

import ast
import operator
import textwrap
import warnings
from collections.abc import Callable, Mapping
from typing import Any

_LONGEST = 20_000
_STEPS = 10_000

NAMES: dict[str, int | float] = {
    "TCP_ESTABLISHED": 1, "TCP_SYN_SENT": 2, "TCP_SYN_RECV": 3, "TCP_FIN_WAIT1": 4, "TCP_FIN_WAIT2": 5,
    "TCP_TIME_WAIT": 6, "TCP_CLOSE": 7, "TCP_CLOSE_WAIT": 8, "TCP_LAST_ACK": 9, "TCP_LISTEN": 10, "TCP_CLOSING": 11,
    "TCP_CA_Open": 0, "TCP_CA_Disorder": 1, "TCP_CA_CWR": 2, "TCP_CA_Recovery": 3, "TCP_CA_Loss": 4,
    "TCPI_OPT_TIMESTAMPS": 1, "TCPI_OPT_SACK": 2, "TCPI_OPT_WSCALE": 4, "TCPI_OPT_ECN": 8,
    "TCP_INFINITE_SSTHRESH": 0x7FFFFFFF,
}  # fmt: skip

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.BitAnd: operator.and_, ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}  # fmt: skip
_SHIFTS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
_CALLS: dict[str, Callable[..., Any]] = {"abs": abs, "min": min, "max": max, "round": round, "int": int, "float": float}


class CodeRefused(ValueError):
    """Code that is not understood; the text is one sentence."""


class AssertionBroken(Exception):
    """An assertion does not hold; the text says which, and what the names in it stand for."""

    def __init__(self, line: int, text: str, values: str) -> None:
        super().__init__(text)
        self.line = line
        self.values = values


class Assertions:
    """Works out blocks one after the other; what one assigns, later ones know."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = dict(NAMES)
        self._info: Mapping[str, Any] = {}
        self._steps = 0

    def run(self, code: str, info: Mapping[str, Any]) -> None:
        """Work out a block; ``info`` gives the fields of tcp_info.  AssertionBroken or CodeRefused."""
        if len(code) > _LONGEST:
            raise CodeRefused(f"a block of code has at most {_LONGEST} characters.")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of Python to its own users: "invalid decimal literal" and the like
                tree = ast.parse(textwrap.dedent(code))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise CodeRefused(f"the code is no Python: {getattr(error, 'msg', None) or error}.") from None
        self._info = info
        self._steps = 0
        try:
            self._block(tree.body)
        except RecursionError:
            raise CodeRefused("the code is nested too deep.") from None
        except (ArithmeticError, TypeError) as error:
            raise CodeRefused(f"the code cannot be worked out: {error}.") from None

    def _block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            match statement:
                case ast.Assert(test=test):
                    if not self._value(test):
                        raise AssertionBroken(statement.lineno, ast.unparse(test), self._said(test))
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self.names[name] = self._value(value)
                case ast.If(test=test, body=body, orelse=orelse):
                    self._block(body if self._value(test) else orelse)
                case ast.Expr(value=ast.Call(func=ast.Name(id="print"))) | ast.Pass():
                    pass
                case ast.Expr(value=ast.Constant()):
                    pass
                case _:
                    raise CodeRefused(
                        f"{_short(ast.unparse(statement))!r} is not understood; a block can hold assert, if, "
                        "assignments to names, and print, which is passed over."
                    )

    def _said(self, test: ast.expr) -> str:
        """The values of the names in an assertion."""
        names = sorted({node.id for node in ast.walk(test) if isinstance(node, ast.Name)} - set(_CALLS) - set(NAMES))
        return ", ".join(f"{name} is {self._name(name)}" for name in names)

    def _name(self, name: str) -> Any:
        if name in self._info:
            return self._info[name]
        if name in self.names:
            return self.names[name]
        kind = "field of tcp_info" if name.startswith("tcpi_") else "name"
        raise CodeRefused(f"the engine has no {kind} {name!r}.")

    def _value(self, node: ast.expr) -> Any:
        self._steps += 1
        if self._steps > _STEPS:
            raise CodeRefused("the code takes too many steps.")
        match node:
            case ast.Constant(value=value) if isinstance(value, bool | int | float) or value is None:
                return value
            case ast.Constant(value=str()) | ast.JoinedStr():
                return ""
            case ast.Name(id=name):
                return self._name(name)
            case ast.BoolOp(op=ast.And(), values=values):
                return all(self._value(value) for value in values)
            case ast.BoolOp(values=values):
                return any(self._value(value) for value in values)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self._value(operand)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self._value(operand)
            case ast.UnaryOp(op=ast.Invert(), operand=operand):
                return ~self._value(operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return _bounded(_BINARY[type(op)](self._value(left), self._value(right)))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _SHIFTS:
                by = self._value(right)
                if not isinstance(by, int) or not 0 <= by <= 64:
                    raise CodeRefused("a shift goes from 0 to 64.")
                return _bounded(_SHIFTS[type(op)](self._value(left), by))
            case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _COMPARISONS for op in ops):
                value = self._value(left)
                for sign, other in zip(ops, others, strict=True):
                    following = self._value(other)
                    if not _COMPARISONS[type(sign)](value, following):
                        return False
                    value = following
                return True
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self._value(body if self._value(test) else orelse)
            case ast.Tuple(elts=parts):
                return tuple(self._value(part) for part in parts)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _CALLS:
                return _bounded(_CALLS[name](*[self._value(arg) for arg in args]))
        raise CodeRefused(f"{_short(ast.unparse(node))!r} is not understood.")


def _bounded(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() > 256:
        raise CodeRefused("the numbers grow too large.")
    return value


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
