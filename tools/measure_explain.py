"""How fast `tcpnotes explain` is beside tshark, and how much memory it takes, on captures made for the purpose.

    measure_explain.py [--packets N…]      (100000 1000000 10000000 unless told; the last one is two gigabytes)

Each capture has connections of twenty packets, closed in several ways, fifty at once.  Speed is packets per second of
processor time (user and system, of the whole process); memory is the greatest of the process.  tshark runs as
``tshark -q -z conv,tcp`` on the same file; without it, only ours is measured.
"""

from __future__ import annotations

import argparse
import os
import shutil
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

AT_ONCE = 50  # connections that are open together
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
_ENDS = (b"\2\0\0\0\0\1", b"\2\0\0\0\0\2")


def conversation(number: int) -> list[tuple[int, int, int, int, int]]:
    """A connection: who sends, flags, seq, ack, length; closed in one of four ways."""
    told = [(0, SYN, 0, 0, 0), (1, SYN | ACK, 0, 1, 0), (0, ACK, 1, 1, 0)]
    x = y = 1
    for _ in range(6):
        told += [(0, PSH | ACK, x, y, 100), (1, PSH | ACK, y, x + 100, 400)]
        x, y = x + 100, y + 400
    told.append((0, ACK, x, y, 0))
    match number % 4:
        case 0:
            told += [
                (0, FIN | ACK, x, y, 0),
                (1, ACK, y, x + 1, 0),
                (1, FIN | ACK, y, x + 1, 0),
                (0, ACK, x + 1, y + 1, 0),
            ]
        case 1:
            told += [(1, FIN | ACK, y, x, 0), (0, FIN | ACK, x, y + 1, 0), (1, ACK, y + 1, x + 1, 0)]
        case 2:
            told += [(1, PSH | ACK, y, x, 50), (0, RST | ACK, x, y + 50, 0)]
        case 3:
            told += [(0, FIN | ACK, x, y, 0), (1, PSH | ACK, y, x + 1, 50), (0, RST, x + 1, 0, 0)]
    return told


def packets(count: int) -> Iterator[bytes]:
    """``count`` frames of Ethernet, and a few more, so that the last connections are whole."""
    made = number = 0
    while made < count:
        group = [(number + i, conversation(number + i)) for i in range(AT_ONCE)]
        number += AT_ONCE
        for step in range(max(len(told) for _, told in group)):
            for which, told in group:
                if step < len(told):
                    made += 1
                    yield _frame(which, *told[step])


def _frame(number: int, side: int, flags: int, seq: int, ack: int, length: int) -> bytes:
    ends = ((b"\x0a" + struct.pack(">I", number // 50_000)[1:], 1024 + number % 50_000), (b"\xc0\0\2\1", 80))
    (src, sport), (dst, dport) = ends[side], ends[1 - side]
    tcp = struct.pack(">HHIIBBHHH", sport, dport, seq, ack, 8 << 4, flags, 501, 0, 0) + b"\1\1\x08\x0a" + bytes(8)
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 52 + length, 0, 0x4000, 64, 6, 0) + src + dst
    return _ENDS[1 - side] + _ENDS[side] + b"\x08\0" + ip + tcp + bytes(length)


def write(path: Path, count: int) -> int:
    """A pcap file of about ``count`` packets; how many it has."""
    total = 0
    with path.open("wb", buffering=1 << 20) as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for total, data in enumerate(packets(count), 1):
            t = total * 50  # microseconds
            file.write(struct.pack("<IIII", t // 1_000_000, t % 1_000_000, len(data), len(data)) + data)
    return total


def measure(words: list[str]) -> tuple[float, int]:
    """Processor seconds and the greatest memory (bytes) of a program that says nothing."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    pid = os.posix_spawnp(
        words[0], words, dict(os.environ),
        file_actions=[(os.POSIX_SPAWN_DUP2, nothing, 1), (os.POSIX_SPAWN_DUP2, nothing, 2)],
    )  # fmt: skip
    os.close(nothing)
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"{' '.join(words)} ended with status {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def main() -> int:
    """Measure each size, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packets", type=int, nargs="+", default=[10**5, 10**6, 10**7], metavar="N")
    args = parser.parse_args()
    explain = [sys.executable, "-m", "tcpnotes", "explain"]
    programs = {"explain": explain, "explain --brief": [*explain, "--brief"], "explain --json": [*explain, "--json"]}
    if shutil.which("tshark"):
        programs["tshark"] = ["tshark", "-q", "-z", "conv,tcp", "-r"]
    print(f"{'packets':>9}  {'program':<16} {'packets/s':>10} {'of tshark':>9} {'memory':>8}")
    with TemporaryDirectory() as folder:
        for count in args.packets:
            path = Path(folder) / "measured.pcap"
            total = write(path, count)
            found = {name: measure([*words, str(path)]) for name, words in programs.items()}
            for name, (seconds, memory) in found.items():
                ratio = f"{found['tshark'][0] / seconds:9.2f}" if "tshark" in found else f"{'-':>9}"
                print(f"{total:>9}  {name:<16} {total / seconds:10,.0f} {ratio} {memory / 1e6:5.0f} MB", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
