"""The life of a connection, again and again: what the engine as a whole costs.

A life is a handshake, 16 bytes each way, both closes (the server's first, so that TIME_WAIT
stands there), and the bucket's death a minute later.  Lives begin at even intervals and
overlap, so that a number of buckets stands the whole time.
"""

from __future__ import annotations

from heapq import heappop, heappush

from tcpnotes.bench.buckets import stock
from tcpnotes.kernel.sock import Sock
from tcpnotes.world import World

CLIENT, SERVER = "A", "B"
PORT = 80
DELAY = 100  # microseconds from host to host
GAP = 500  # microseconds between the doings of one life: time for an answer
BYTES = 16
STAY = 52_500_000  # so long at least TIME_WAIT lasts, seven of the eight slots of the slow wheel
_FIRST_ADDRESS = 0x0A000000  # 10.0.0.0: the many addresses of the server


class Lives:
    """A world in which connections live and die, so often that ``standing`` buckets are in TIME_WAIT all the time.

    The first of them are made directly.  ``opened`` connections stand open beside them.
    """

    def __init__(self, standing: int = 100, opened: int = 0, seed: int = 0) -> None:
        self.world = world = World("linux-2.4.0", seed=seed, delay=DELAY)
        self.interval = STAY / standing
        self.begun = self.ended = 0
        self._next = 0.0  # when the next life begins
        self._due: list[tuple[int, int, int]] = []  # (time, life, what it does next)
        self._clients: dict[int, int] = {}  # life -> descriptor
        self._servers: dict[int, int] = {}
        for host in (CLIENT, SERVER):
            world.sysctl(host, "tcp_max_tw_buckets", 1 << 24)
        world.sysctl(CLIENT, "ip_local_port_high", 65_000)
        # The client's ports go round; a pair of ends must not come back while its bucket stands.
        self._addresses = 2 + 2 * standing // 60_000
        for number in range(self._addresses):
            world.route(_FIRST_ADDRESS + number, SERVER)
        self._ok(SERVER, "socket")
        self._ok(SERVER, "bind", 3, PORT)
        self._ok(SERVER, "listen", 3, 128)
        for _ in range(opened):
            self._connect(0)
            world.run_until(world.now + GAP)
            self._accept(0)
        self._fill(standing)
        self._next = world.now

    def _fill(self, standing: int) -> None:
        """Let a while pass in which buckets are made at the pace at which lives will end."""
        world, begin = self.world, self.world.now
        sk = Sock(world.host(SERVER).net)
        sk.rcv_saddr, sk.num = world.hosts[SERVER].address, PORT
        steps = 1000
        for step in range(steps):
            world.host(SERVER)  # its clock goes on
            stock(sk, standing * step // steps, standing * (step + 1) // steps)
            world.run_until(begin + STAY * (step + 1) // steps)

    def _ok(self, host: str, call: str, *args: int) -> int:
        world = self.world
        result = world.result(host, world.call(host, call, *args))
        if result is None or result.ret < 0:
            raise RuntimeError(f"{call} on host {host} did not go well: {result}.")
        return result.ret

    def _connect(self, life: int) -> None:
        fd = self._clients[life] = self._ok(CLIENT, "socket")
        self.world.call(CLIENT, "connect", fd, PORT, _FIRST_ADDRESS + life // 60_000 % self._addresses)

    def _accept(self, life: int) -> None:
        self._servers[life] = self._ok(SERVER, "accept", 3)

    def _ask(self, life: int) -> None:
        self._accept(life)
        self._ok(CLIENT, "write", self._clients[life], BYTES)

    def _answer(self, life: int) -> None:
        self._ok(SERVER, "read", self._servers[life], BYTES)
        self._ok(SERVER, "write", self._servers[life], BYTES)

    def _part(self, life: int) -> None:
        self._ok(CLIENT, "read", self._clients[life], BYTES)
        self._ok(SERVER, "close", self._servers.pop(life))

    def _end(self, life: int) -> None:
        self._ok(CLIENT, "close", self._clients.pop(life))
        self.ended += 1

    _DOINGS = (_connect, _ask, _answer, _part, _end)

    def run(self, lives: int) -> None:
        """Let so many more lives end (their buckets die a minute later)."""
        world, due = self.world, self._due
        goal = self.ended + lives
        while self.ended < goal:
            if not due or due[0][0] > self._next:
                heappush(due, (int(self._next), self.begun, 0))
                self.begun += 1
                self._next += self.interval
            time, life, what = heappop(due)
            world.run_until(time)
            self._DOINGS[what](self, life)
            if what < 4:
                heappush(due, (time + GAP, life, what + 1))

    @property
    def standing(self) -> int:
        """Buckets in TIME_WAIT now."""
        return self.world.hosts[SERVER].net.tw_count
