"""A packetdrill script as plain data: options, and events with their times.

All times are microseconds from the start of the script, all sequence numbers as the
script writes them (relative to the first ones of either side).
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias


class Place(NamedTuple):
    """Where something stands: line and column, both counted from 1."""

    line: int
    column: int


class ScriptError(Exception):
    """A script that cannot be read; the text names file, line and column, and says what was expected."""

    def __init__(self, name: str, place: Place | None, sentence: str) -> None:
        where = name if place is None else f"{name}:{place.line}:{place.column}"
        super().__init__(f"{where}: {sentence}")
        self.place = place


# -- values in calls -----------------------------------------------------------------------------------------------


class Dots(NamedTuple):
    """``...``: whatever fits."""

    def __str__(self) -> str:
        return "..."


class Word(NamedTuple):
    """A name, or several joined by ``|``."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return "|".join(self.names)


class Text(NamedTuple):
    """A string in quotes; its escapes stay as they are written."""

    text: str

    def __str__(self) -> str:
        return f'"{self.text}"'


class Array(NamedTuple):
    """``[…]``."""

    items: tuple[Value, ...]

    def __str__(self) -> str:
        return f"[{', '.join(map(str, self.items))}]"


class Field(NamedTuple):
    """``name=value``; what stands in brackets behind the name is left out."""

    name: str
    value: Value

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


class Struct(NamedTuple):
    """``{…}``: fields, or values in their order."""

    items: tuple[Value, ...]

    def field(self, name: str) -> Value | None:
        """The value of a field; None when there is none of that name."""
        for item in self.items:
            if isinstance(item, Field) and item.name == name:
                return item.value
        return None

    def __str__(self) -> str:
        return f"{{{', '.join(map(str, self.items))}}}"


class Inner(NamedTuple):
    """A call inside an argument: ``htons(8080)``, ``inet_addr("192.0.2.1")``."""

    name: str
    args: tuple[Value, ...]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.args))})"


Value: TypeAlias = int | Dots | Word | Text | Array | Field | Struct | Inner


# -- times ---------------------------------------------------------------------------------------------------------


class When(NamedTuple):
    """When something happens, in microseconds.

    ``relative`` times count from the moment the event before was done; ``any`` has no time at all.  ``last`` is
    the end of a range, None without one.
    """

    kind: Literal["absolute", "relative", "any"]
    first: int = 0
    last: int | None = None

    def __str__(self) -> str:
        if self.kind == "any":
            return "*"
        plus = "+" if self.kind == "relative" else ""
        shown = f"{plus}{seconds(self.first)}"
        return shown if self.last is None else f"{shown}~{plus}{seconds(self.last)}"


def seconds(micro: int) -> str:
    """Microseconds as seconds, without needless zeros."""
    return f"{micro / 1_000_000:.6f}".rstrip("0").rstrip(".")


# -- what happens --------------------------------------------------------------------------------------------------


class Options(NamedTuple):
    """TCP options in the order in which they are written, as words (`words`), and what they say."""

    words: tuple[str, ...] = ()
    mss: int | None = None
    wscale: int | None = None
    sack_ok: bool = False
    ts: tuple[int, int] | None = None
    sacks: tuple[tuple[int, int], ...] = ()
    foreign: str | None = None  # one that the engine does not know

    def __str__(self) -> str:
        return f"<{','.join(self.words)}>"


class Packet(NamedTuple):
    """A TCP segment, inbound (``<``) or expected to leave (``>``).

    ``ack`` and ``window`` are None where the script does not say; ``options`` None means that they are not looked at.
    ``marks`` are the words of an IP mark, ``ports`` the pair (source, destination).
    """

    outbound: bool
    flags: int
    letters: str
    seq: int
    length: int
    ack: int | None
    window: int | None
    urgent: int | None
    options: Options | None
    marks: tuple[str, ...] = ()
    ports: tuple[int, int] | None = None

    def __str__(self) -> str:
        parts = [">" if self.outbound else "<"]
        if self.marks:
            parts.append(f"[{','.join(self.marks)}]")
        if self.ports:
            parts.append(f"{self.ports[0]}>{self.ports[1]}")
        parts += [self.letters, f"{self.seq}:{self.seq + self.length}({self.length})"]
        for word, number in (("ack", self.ack), ("win", self.window), ("urg", self.urgent)):
            if number is not None:
                parts.append(f"{word} {number}")
        if self.options is None:
            parts.append("<...>")
        elif self.options.words:
            parts.append(str(self.options))
        return " ".join(parts)


class Call(NamedTuple):
    """A system call and what it returns; ``until`` is set for one that blocks: when it returns."""

    name: str
    args: tuple[Value, ...]
    result: Value
    errno: str | None
    note: str
    until: int | None

    def __str__(self) -> str:
        wait = "" if self.until is None else f"...{seconds(self.until)} "
        end = "".join(f" {word}" for word in (self.errno, self.note) if word)
        return f"{wait}{self.name}({', '.join(map(str, self.args))}) = {self.result}{end}"


class Command(NamedTuple):
    """Words for a shell, in backquotes.  They are never given to one."""

    text: str

    def __str__(self) -> str:
        return f"`{self.text}`"


class Code(NamedTuple):
    """A block ``%{ … }%``: assertions on struct tcp_info."""

    text: str

    def __str__(self) -> str:
        return f"%{{ {self.text} }}%"


class Foreign(NamedTuple):
    """Something of the language that the engine has nothing for: a UDP datagram, an ICMP message, a tunnel."""

    what: str
    outbound: bool
    text: str

    def __str__(self) -> str:
        return f"{'>' if self.outbound else '<'} {self.text}".strip()


Action: TypeAlias = Packet | Call | Command | Code | Foreign


class Event(NamedTuple):
    """One thing that happens, or is expected to; ``when`` is None for a command before the first event."""

    place: Place
    when: When | None
    action: Action

    def __str__(self) -> str:
        return str(self.action) if self.when is None else f"{self.when} {self.action}"


class Script(NamedTuple):
    """A whole script.  ``options`` are the lines that begin with ``--``, by name, with their values."""

    name: str
    options: dict[str, str]
    events: tuple[Event, ...]
