"""Where a reader stands in a run: an index into the chosen stops.  Knows no widget and no page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tcpnotes.trace import records as r
from tcpnotes.view.story import Story

STOPS = ("item", "beat", "event", "all")


def choose_stops(story: Story, stops: str | Sequence[int] = "item") -> list[int]:
    """Positions in the trace at which to stop.

    ``"item"``: where an item of the source is shown (``"event"`` when no items are known).
    ``"beat"``: the same, and once for whatever else happens: at what it comes to.
    ``"event"``: wherever something happened that a picture shows.  ``"all"``: every record.
    The record after which the telling begins is always among them, and so is the last (but for beats).
    A list of positions is taken as it is.
    """
    count = len(story.records)
    if not count:
        return []
    begin = next((beat.first for beat in story.beats if not beat.untold), count - 1)
    end = max((beat.last for beat in story.beats if not beat.untold), default=count - 1)
    if not isinstance(stops, str):
        bad = [i for i in stops if not 0 <= i < count]
        if bad:
            raise ValueError(f"There is no frame {bad[0]}; the run has frames 0 to {count - 1}.")
        return sorted(set(stops))
    if stops in ("item", "beat"):
        chosen = {i for i, ids in enumerate(story.items) if ids}
        if not chosen:
            return choose_stops(story, "event")
        if stops == "beat":
            told = [beat for beat in story.beats if beat.shown]
            return sorted({
                max(begin - 1, 0),
                *(i for i in chosen if begin <= i <= end),
                *(beat.outcome for beat in told if not any(beat.outcome <= i <= beat.last for i in chosen)),
            })  # fmt: skip
    elif stops == "event":
        chosen = {i for i, record in enumerate(story.records) if _is_event(record)}
    elif stops == "all":
        chosen = set(range(count))
    else:
        raise ValueError(f"Stops can be {', '.join(STOPS)} or a list of frames, not {stops!r}.")
    return sorted({i for i in chosen if begin <= i <= end} | {max(begin - 1, 0), end})


def _is_event(record: r.Record) -> bool:
    match record:
        case r.Enter() | r.Count() | r.SockShutdown() | r.Return(blocked=False):
            return False
        case r.Stimulus(what=what):
            return what in ("resume", "crash")  # the others are told by the record that follows
        case r.Timer(op="clear"):
            return False
        case r.Queue(op="flag"):
            return False
    return True


class Controller:
    """The reader's place among ``count`` steps, counted from 0."""

    def __init__(self, count: int) -> None:
        if count < 1:
            raise ValueError("There is nothing to step through: the run has no records.")
        self.count = count
        self._index = 0
        self._watchers: list[Callable[[int], None]] = []

    @property
    def index(self) -> int:
        """The present step."""
        return self._index

    @property
    def at_first(self) -> bool:
        """True at the first step."""
        return self._index == 0

    @property
    def at_last(self) -> bool:
        """True at the last step."""
        return self._index == self.count - 1

    def goto(self, step: int) -> int:
        """Go to ``step``; beyond either end, to that end.  Returns where that is."""
        step = min(max(step, 0), self.count - 1)
        if step != self._index:
            self._index = step
            for watcher in list(self._watchers):
                watcher(step)
        return self._index

    def first(self) -> int:
        """To the first step."""
        return self.goto(0)

    def back(self) -> int:
        """One step back."""
        return self.goto(self._index - 1)

    def forward(self) -> int:
        """One step on."""
        return self.goto(self._index + 1)

    def last(self) -> int:
        """To the last step."""
        return self.goto(self.count - 1)

    def watch(self, watcher: Callable[[int], None]) -> None:
        """Call ``watcher`` with the step whenever it changes."""
        self._watchers.append(watcher)
