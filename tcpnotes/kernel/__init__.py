"""Linux 2.4.0's TCP, as far as the life and the close of a connection need it.

Functions that have a counterpart in the kernel bear its name and stand in the
module with the stem of its file; nothing else is called ``tcp_…``.  They work on
a socket, a bucket or a host's stack, which they take first, and change it in place,
as in C.  They know no wall clock, no file and no widget.
"""

from tcpnotes.kernel import tcp_h  # first: the other files take constants from it at their top

__all__ = ["tcp_h"]
