"""What is different between two payloads of a stepper, so that a long run need not be sent again for each act.

A list is told as how many of its first entries stay and what follows them, a dictionary key by key, everything else
as it is now.  ``data/widget.js`` puts it together again.  Keys that are gone stay there: nothing asks for them.
"""

from __future__ import annotations

from typing import Any


def patch(old: Any, new: Any) -> Any:
    """What turns ``old`` into ``new``; None when nothing does.  Both are made of JSON without null."""
    if old == new:
        return None
    if isinstance(old, list) and isinstance(new, list):
        same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
        return [same, new[same:]]
    if isinstance(old, dict) and isinstance(new, dict):
        changes = {key: patch(old[key], value) if key in old else value for key, value in new.items()}
        return {key: change for key, change in changes.items() if change is not None}
    return new
