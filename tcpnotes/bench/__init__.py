"""How fast the engine is, measured so that one machine can be compared with another.

Machines drift, so no figure stands alone: each is set against the rate of a plain loop that is
timed right before and right after it (`calibration`).  The measurements have names
(`MEASUREMENTS`); each does its work several times and gives medians as `Figure` values.
"""

from tcpnotes.bench.measure import FULL, MILLION, QUICK, Figure, Size
from tcpnotes.bench.measurements import MEASUREMENTS, Measurement

__all__ = ["FULL", "MEASUREMENTS", "MILLION", "QUICK", "Figure", "Measurement", "Size"]
