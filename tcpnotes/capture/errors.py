"""What can be wrong with a capture as a whole."""

from __future__ import annotations


class CaptureError(ValueError):
    """A capture that cannot be read or written: one sentence that names the file and the remedy."""
