"""From text to `Script`, by the grammar that stands in ``grammar.lark``.

The parser is lark's (MIT licence, alive, no dependencies of its own); neither it
nor what is built here goes deeper for brackets in brackets.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, NoReturn

from tcpnotes.packetdrill.script import (
    Action,
    Array,
    Call,
    Code,
    Command,
    Dots,
    Event,
    Field,
    Foreign,
    Inner,
    Options,
    Packet,
    Place,
    Script,
    ScriptError,
    Struct,
    Text,
    Value,
    When,
    Word,
)
from tcpnotes.trace.segment import ACK, CWR, ECE, FIN, PSH, RST, SYN, URG

LONGEST = 1 << 20  # characters of a script; the longest ones known have some 30 000
DEEPEST = 16  # brackets in brackets
_LETTERS = {"F": FIN, "S": SYN, "R": RST, "P": PSH, ".": ACK, "U": URG, "E": ECE, "W": CWR, "C": CWR}


def read_script(path: str | Path, defines: dict[str, str] | None = None) -> Script:
    """The script in a file; ScriptError when it cannot be read."""
    name = str(path)
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ScriptError(name, None, f"the file cannot be read: {error.strerror or error}.") from None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        raise ScriptError(name, Place(line, column), "a script is text in UTF-8; this byte is not.") from None
    return parse_script(text, name, defines)


def parse_script(text: str, name: str = "script", defines: dict[str, str] | None = None) -> Script:
    """The script in a text.

    ``defines`` gives words of the script other values, as the option ``--define`` does.  ScriptError names line and
    column of the first mistake and what was expected there; ImportError says which extra brings the parser.
    """
    if len(text) > LONGEST:
        raise ScriptError(name, None, f"a script has at most {LONGEST} characters, not {len(text)}.")
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    text = _substituted(text, defines or {})
    parser, builder, lark = _parser()
    try:
        options, events = builder(name).transform(parser.parse(text))
    except lark.exceptions.UnexpectedInput as error:
        _explain(name, text, error)
    except lark.exceptions.VisitError as error:
        raise error.orig_exc from None
    return Script(name, options, events)


_DEFINE = re.compile(r'^[ \t]*--define=([A-Za-z_]\w*)=("[^"\n]*"|`[^`\n]*`|\S+)', re.MULTILINE)


def _substituted(text: str, defines: dict[str, str]) -> str:
    """The text with defined words replaced, except where they are defined; lines stay where they are."""
    known = dict(defines)
    for match in _DEFINE.finditer(text):
        known.setdefault(match[1], match[2])
    if not known:
        return text
    words = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, known))})(?!\w)")
    return "\n".join(
        line if line.lstrip().startswith("--") else words.sub(lambda found: known[found[0]], line)
        for line in text.split("\n")
    )


@lru_cache(maxsize=1)
def _parser() -> tuple[Any, Any, Any]:
    try:
        import lark
    except ImportError:
        raise ImportError(
            "Reading packetdrill scripts needs the package lark: pip install 'tcpnotes[packetdrill]'."
        ) from None
    grammar = resources.files("tcpnotes.packetdrill").joinpath("grammar.lark").read_text("utf-8")
    made = lark.Lark(
        grammar, start="script", parser="lalr", lexer="contextual", propagate_positions=True, maybe_placeholders=False
    )
    return made, _builder(lark), lark


# -- mistakes ------------------------------------------------------------------------------------------------------

_SAID = {
    "PLUS": "a time (+0.1, 0, *)", "STAR": "a time (+0.1, 0, *)", "FLOAT": "a number", "INT": "a number",
    "OPTION": "an option (--name=value)", "BACKQUOTED": "a command in backquotes", "CODE": "a block %{ … }%",
    "LT": "'<'", "GT": "'>'", "FLAGS": "TCP flags (S, F., P., R, .)", "WORD": "a word", "STRING": "a string in quotes",
    "HEX": "a hexadecimal number", "NOTE": "a note in brackets", "$END": "the end of the script",
    "ICMP": "icmp", "UDP": "udp", "MARK": "ect0, ect1, ce or noecn", "LPAR": "'('", "RPAR": "')'", "LSQB": "'['",
    "RSQB": "']'", "LBRACE": "'{'", "RBRACE": "'}'", "COMMA": "','", "EQUAL": "'='", "COLON": "':'", "VBAR": "'|'",
    "TILDE": "'~'", "ACK": "'ack'", "WIN": "'win'", "URG": "'urg'", "MSS": "mss", "NOP": "nop", "EOL": "eol",
    "WSCALE": "wscale", "SACKOK": "sackOK", "SACK": "sack", "TS": "TS", "VAL": "'val'",
    "ECR": "'ecr'",
    "ERRNO": "an errno",
}  # fmt: skip
_UNSAID = {"FUZZ", "ENCAPSULATED", "FOREIGN", "TOS", "TTL", "FLOWLABEL"}


def _explain(name: str, text: str, error: Any) -> NoReturn:
    expected = set(getattr(error, "expected", None) or getattr(error, "allowed", None) or ())
    if "PLUS" in expected:
        expected -= {"FLOAT", "INT"}  # they are times there
    said: list[str] = []
    for terminal in sorted(expected - _UNSAID):
        word = "'...'" if terminal.startswith("__ANON") else _SAID.get(terminal, terminal.lower())
        if word not in said:
            said.append(word)
    line, column = error.line, error.column
    lines = text.split("\n")
    token = getattr(error, "token", None)
    if line is None or line < 1 or getattr(token, "type", "") == "$END":  # the script ends too early
        lines = text.rstrip().split("\n")
        line, column = len(lines), len(lines[-1]) + 1
    rest = lines[line - 1][column - 1 :] if line <= len(lines) else ""
    found = repr(_first_word(rest)) if rest.strip() else "the end of the line" if line < len(lines) else "the end"
    wanted = _joined(said) if said else "something else"
    raise ScriptError(name, Place(line, column), f"{wanted} was expected here, not {found}.") from None


def _first_word(rest: str) -> str:
    found = re.match(r"\s*(\w+|\S)", rest)
    word = found[1] if found else rest
    return word if len(word) <= 30 else word[:30] + "…"


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


# -- building ------------------------------------------------------------------------------------------------------


def _builder(lark: Any) -> type:
    """The class that makes a script of what the parser recognises (made late, because lark may be missing)."""

    @lark.v_args(meta=True)
    class Builder(lark.visitors.Transformer_NonRecursive):  # type: ignore[misc]  # of lark, which may be missing
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def fail(self, meta: Any, sentence: str) -> NoReturn:
            raise ScriptError(self.name, Place(meta.line, meta.column), sentence)

        # -- the whole

        def script(self, meta: Any, parts: list[Any]) -> tuple[dict[str, str], tuple[Event, ...]]:
            options = {part[0]: part[1] for part in parts if type(part) is tuple}
            return options, tuple(part for part in parts if isinstance(part, Event))

        def option(self, meta: Any, parts: list[Any]) -> tuple[str, str]:
            word, _, value = str(parts[0])[2:].partition("=")
            return (word, value.strip('"') if value.startswith('"') else value)

        def setup(self, meta: Any, parts: list[Any]) -> Event:
            return Event(Place(meta.line, meta.column), None, Command(str(parts[0])[1:-1]))

        def event(self, meta: Any, parts: list[Any]) -> Event:
            when, action = parts
            if isinstance(action, _Packet):
                action = action.packet
            waits = isinstance(action, Packet | Foreign) and action.outbound
            if when.kind == "any" and not waits:
                self.fail(meta, "the time * can stand before outbound packets only.")
            if when.last is not None:
                if not waits:
                    self.fail(meta, "a range of times can stand before outbound packets only.")
                if when.last < when.first:
                    self.fail(meta, "the range of times is backwards.")
            if isinstance(action, Call) and action.until is not None and action.until < when.first:
                self.fail(meta, "the call would return before it begins.")
            return Event(Place(meta.line, meta.column), when, action)

        # -- times

        def time(self, meta: Any, parts: list[Any]) -> int:
            text = str(parts[0])
            if text.startswith("-"):
                self.fail(meta, f"a time cannot be negative, as {text} is.")
            if len(text) > 20:
                self.fail(meta, "a time has at most 20 digits.")
            return int(Decimal(text) * 1_000_000)

        def relative(self, meta: Any, parts: list[Any]) -> When:
            return When("relative", parts[-1])

        def absolute(self, meta: Any, parts: list[Any]) -> When:
            return When("absolute", parts[-1])

        def any(self, meta: Any, parts: list[Any]) -> When:
            return When("any")

        def absolute_range(self, meta: Any, parts: list[Any]) -> When:
            return When("absolute", parts[0], parts[1])

        def relative_range(self, meta: Any, parts: list[Any]) -> When:
            return When("relative", parts[0], parts[1])

        # -- packets

        def direction(self, meta: Any, parts: list[Any]) -> bool:
            return str(parts[0]) == ">"

        def markword(self, meta: Any, parts: list[Any]) -> str:
            return " ".join(map(str, parts))

        def mark(self, meta: Any, parts: list[Any]) -> _Marks:
            return _Marks(parts)

        def ports(self, meta: Any, parts: list[Any]) -> _Ports:
            return _Ports((self.ranged(meta, parts[0], 16, "a port"), self.ranged(meta, parts[2], 16, "a port")))

        def ranged(self, meta: Any, token: Any, bits: int, what: str) -> int:
            value = self.whole(meta, token)
            if not 0 <= value < 1 << bits:
                self.fail(_at(token, meta), f"{what} is a number from 0 to {(1 << bits) - 1}, not {token}.")
            return value

        def whole(self, meta: Any, token: Any) -> int:
            text = str(token)
            if len(text) > 20:
                self.fail(_at(token, meta), "a number has at most 20 digits.")
            return int(text, 0) if text.startswith("0x") else int(text)

        def sequence(self, meta: Any, parts: list[Any]) -> _Sequence:
            first, end = (self.ranged(meta, part, 32, "a sequence number") for part in parts[:2])
            length = self.ranged(meta, parts[2], 16, "a length")
            if end != (first + length) & 0xFFFFFFFF:
                self.fail(meta, f"{first}:{end}({length}) does not fit together: {first} + {length} is not {end}.")
            return _Sequence((first, length))

        def ack(self, meta: Any, parts: list[Any]) -> _Said:
            return _Said("ack", self.ranged(meta, parts[0], 32, "an acknowledgement number"))

        def window(self, meta: Any, parts: list[Any]) -> _Said:
            return _Said("win", self.ranged(meta, parts[0], 16, "a window"))

        def urgent(self, meta: Any, parts: list[Any]) -> _Said:
            return _Said("urg", self.ranged(meta, parts[0], 16, "an urgent pointer"))

        def tcp(self, meta: Any, parts: list[Any]) -> _Packet | Foreign:
            outbound, letters = parts[0], next(str(part) for part in parts if getattr(part, "type", "") == "FLAGS")
            said = {part.word: part.number for part in parts if isinstance(part, _Said)}
            marks: tuple[str, ...] = next((tuple(part) for part in parts if isinstance(part, _Marks)), ())
            ports = next(((part[0], part[1]) for part in parts if isinstance(part, _Ports)), None)
            seq, length = next(part for part in parts if isinstance(part, _Sequence))
            written = next((part for part in parts if isinstance(part, Options | _Unchecked)), Options())
            options = None if isinstance(written, _Unchecked) else written
            fuzz = next((str(part) for part in parts if getattr(part, "type", "") == "FUZZ"), None)
            flags = 0
            for letter in letters:
                flags |= _LETTERS.get(letter, 0)
            if options is None and not outbound:
                self.fail(meta, "the options <...> can stand in outbound packets only: say which ones come in.")
            packet = Packet(
                outbound, flags, letters, seq, length, said.get("ack"), said.get("win"), said.get("urg"),
                options, marks, ports,
            )  # fmt: skip
            if any(letter.isdigit() for letter in letters) or "A" in letters:
                return Foreign("the ACE field of accurate ECN", outbound, str(packet)[2:])
            if fuzz is not None:
                return Foreign("a packet that is to be spoilt by chance", outbound, f"{str(packet)[2:]} {fuzz}")
            return _Packet(packet)

        def udp(self, meta: Any, parts: list[Any]) -> Foreign:
            return Foreign("a UDP datagram", parts[0], f"udp ({parts[-1]})")

        def icmp(self, meta: Any, parts: list[Any]) -> Foreign:
            return Foreign("an ICMP message", parts[0], str(parts[-1]).split("//")[0].strip())

        def encapsulated(self, meta: Any, parts: list[Any]) -> Foreign:
            return Foreign("a packet within another (a tunnel)", parts[0], str(parts[-1]).split("//")[0].strip())

        # -- options of TCP

        def unchecked_options(self, meta: Any, parts: list[Any]) -> _Unchecked:
            return UNCHECKED

        def checked_options(self, meta: Any, parts: list[Any]) -> Options:
            options = Options()
            for part in parts:
                if isinstance(part, dict):
                    words = (*options.words, part.pop("word"))
                    options = options._replace(words=words, **part)
            return options

        def nop(self, meta: Any, parts: list[Any]) -> dict[str, Any]:
            return {"word": "nop"}

        def eol(self, meta: Any, parts: list[Any]) -> dict[str, Any]:
            return {"word": "eol"}

        def mss(self, meta: Any, parts: list[Any]) -> dict[str, Any]:
            value = self.ranged(meta, parts[0], 16, "mss")
            return {"word": f"mss {value}", "mss": value}

        def wscale(self, meta: Any, parts: list[Any]) -> dict[str, Any]:
            value = self.ranged(meta, parts[0], 8, "wscale")
            return {"word": f"wscale {value}", "wscale": value}

        def sack_ok(self, meta: Any, parts: list[Any]) -> dict[str, Any]:
            return {"word": "sackOK", "sack_ok": True}

        def block(self, meta: Any, parts: list[Any]) -> tuple[int, int]:
            start, end = (self.ranged(meta, part, 32, "an edge of a SACK block") for part in parts)
            return (start, end)

        def sack(self, meta: Any, parts: list[Any]) -> dict[str, Any]:
            if len(parts) > 4:
                self.fail(meta, f"a segment has room for 4 SACK blocks, not {len(parts)}.")
            words = " ".join(f"{start}:{end}" for start, end in parts)
            return {"word": f"sack {words}", "sacks": tuple(parts)}

        def timestamp(self, meta: Any, parts: list[Any]) -> dict[str, Any]:
            val, ecr = (self.ranged(meta, part, 32, "a timestamp") for part in parts)
            return {"word": f"TS val {val} ecr {ecr}", "ts": (val, ecr)}

        def foreign_option(self, meta: Any, parts: list[Any]) -> dict[str, Any]:
            word = " ".join(str(parts[0]).split())
            return {"word": word, "foreign": word.split()[0]}

        # -- calls, commands, code

        def syscall(self, meta: Any, parts: list[Any]) -> Call:
            until = parts.pop(0) if isinstance(parts[0], int) else None
            if getattr(parts[0], "type", "") != "WORD":  # the dots before the time have a token of their own
                parts = [part for part in parts if getattr(part, "type", "") != "__ANON_0"]
            name, *rest = parts
            args: tuple[Value, ...] = ()
            if isinstance(rest[0], _Arguments):
                args = tuple(rest.pop(0))
            result, *end = rest
            errno = next((str(part) for part in end if part.type == "ERRNO"), None)
            note = next((str(part) for part in end if part.type == "NOTE"), "")
            return Call(str(name), args, result, errno, note, until)

        def command(self, meta: Any, parts: list[Any]) -> Action:
            return Command(str(parts[0])[1:-1])

        def code(self, meta: Any, parts: list[Any]) -> Action:
            return Code(str(parts[0])[2:-2].strip())

        # -- values

        def arguments(self, meta: Any, parts: list[Any]) -> _Arguments:
            return _Arguments(parts)

        def nested(self, meta: Any, values: tuple[Value, ...]) -> tuple[Value, ...]:
            if 1 + max(map(_depth, values), default=0) > DEEPEST:
                self.fail(meta, f"brackets stand at most {DEEPEST} deep.")
            return values

        def alternatives(self, meta: Any, parts: list[Any]) -> Value:
            names: list[str] = []
            total = 0
            for part in parts:
                if isinstance(part, Word):
                    names += part.names
                elif isinstance(part, int):
                    total |= part
                else:
                    self.fail(meta, "only names and numbers can be joined by '|'.")
            if not names:
                return total
            return Word((*names, str(total)) if total else tuple(names))

        def ellipsis(self, meta: Any, parts: list[Any]) -> Value:
            return Dots()

        def number(self, meta: Any, parts: list[Any]) -> Value:
            if "." in str(parts[0]):
                self.fail(meta, f"a whole number was expected here, not {parts[0]}.")
            return self.whole(meta, parts[0])

        def hexadecimal(self, meta: Any, parts: list[Any]) -> Value:
            return self.whole(meta, parts[0])

        def string(self, meta: Any, parts: list[Any]) -> Value:
            return Text("".join(str(part)[1:-1] for part in parts if part.type == "STRING"))

        def word(self, meta: Any, parts: list[Any]) -> Value:
            return Word((str(parts[0]),))

        def inner_call(self, meta: Any, parts: list[Any]) -> Value:
            return Inner(str(parts[0]), self.nested(meta, tuple(parts[1]) if len(parts) > 1 else ()))

        def field(self, meta: Any, parts: list[Any]) -> Value:
            return Field(str(parts[0]), self.nested(meta, (parts[1],))[0])

        def sized_field(self, meta: Any, parts: list[Any]) -> Value:
            return Field(str(parts[0]), self.nested(meta, (parts[-1],))[0])

        def array(self, meta: Any, parts: list[Any]) -> Value:
            return Array(self.nested(meta, tuple(parts[0]) if parts else ()))

        def struct(self, meta: Any, parts: list[Any]) -> Value:
            return Struct(self.nested(meta, tuple(parts[0]) if parts else ()))

    return Builder


class _Arguments(list[Value]):
    pass


class _Marks(list[str]):
    pass


class _Ports(tuple[int, int]):
    __slots__ = ()


class _Sequence(tuple[int, int]):
    __slots__ = ()


class _Said:
    def __init__(self, word: str, number: int) -> None:
        self.word, self.number = word, number


class _Packet:
    def __init__(self, packet: Packet) -> None:
        self.packet = packet


class _Unchecked:
    pass


UNCHECKED = _Unchecked()


def _depth(value: Value) -> int:
    if isinstance(value, Array | Struct):
        return 1 + max(map(_depth, value.items), default=0)
    if isinstance(value, Inner):
        return 1 + max(map(_depth, value.args), default=0)
    return 1 + _depth(value.value) if isinstance(value, Field) else 0


def _at(token: Any, meta: Any) -> Any:
    return token if getattr(token, "line", None) else meta
