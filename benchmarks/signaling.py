"""What one core of a signaling server does: joins a second, time to join, memory a room; and what a crash costs.

    python -m benchmarks.signaling [--rooms 1000 5000] [--instances 0 1 2] [--seconds 10] [--tokens] [--json]
    python -m benchmarks.signaling --kill [--calls 100] [--json]

Real server processes, all on the first core; the peers (and Redis) on the others. 0 instances stands for one server
that is alone, in memory; 1 and 2 share rooms through Redis, and then the two peers of a room sit on different servers.

Of each case: so many rooms are opened with both seats taken, and stay; the memory of the servers grows by what the
table says. Then peers join other rooms and leave again, as many at once as `--at-once`, for so many seconds: joins a
second. At last they come at a fixed rate: time from opening the connection to the seat. Joins a second of processor
time are what one core does where peers and other programs take none of it.

With `--kill` calls are set up over two servers, and one is killed in the midst (signaling_kill.py).
"""

import argparse
import asyncio
import itertools
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from benchmarks.signaling_kill import kill_in_the_midst
from benchmarks.signaling_load import LeanPeer, Server, percentile, running
from signaling.tokens import Signer

OPEN_AT_ONCE = 32
SETTLE_S = 2.0
TOKEN_LIFETIME_S = 3600


@dataclass(frozen=True)
class Result:
    """One number of servers with one number of open rooms."""

    instances: int
    """0: one server in memory."""
    rooms: int
    tokens: bool
    joins_per_s: float
    joins_per_cpu_s: float
    rate: float
    """Joins a second offered while the times were measured."""
    join_ms_p50: float
    join_ms_p95: float
    kb_per_room: float


class Crowd:
    """Peers of some servers; each room has a name of its own."""

    def __init__(self, servers: list[Server], secret: str | None) -> None:
        self._servers = servers
        self._signer = Signer(SecretStr(secret)) if secret else None
        self._names = (f"bench-{number}" for number in itertools.count())
        self._turn = itertools.cycle(range(len(servers)))
        self.held: list[LeanPeer] = []

    async def join(self, room: str, server: int, seat: str) -> LeanPeer:
        """Take a seat."""
        token = self._signer.sign(room, "1" if seat == "1" else "2", TOKEN_LIFETIME_S) if self._signer else None
        return await LeanPeer.join(self._servers[server % len(self._servers)].url, room, token=token)

    async def open_rooms(self, count: int) -> None:
        """Open rooms with both seats taken, and hold them."""

        async def work(names: Iterator[str]) -> None:
            for room in names:
                server = next(self._turn)
                self.held += [await self.join(room, server, "1"), await self.join(room, server + 1, "2")]

        names = itertools.islice(self._names, count)
        await asyncio.gather(*(work(names) for _ in range(OPEN_AT_ONCE)))

    async def visit(self) -> float:
        """Join a new room and leave it. Returns the seconds until the seat was taken."""
        room, server = next(self._names), next(self._turn)
        began_s = time.perf_counter()
        peer = await self.join(room, server, "1")
        took_s = time.perf_counter() - began_s
        peer.leave()
        return took_s

    async def rush(self, at_once: int, seconds: float) -> float:
        """Visit as often as possible. Returns visits a second."""
        end_s = time.perf_counter() + seconds
        visits = 0

        async def work() -> None:
            nonlocal visits
            while time.perf_counter() < end_s:
                await self.visit()
                visits += 1

        await asyncio.gather(*(work() for _ in range(at_once)))
        return visits / seconds

    async def stream(self, rate: float, seconds: float) -> list[float]:
        """Visit at a fixed rate, however long each one takes. Returns the seconds of each."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        visits = []
        for number in range(round(rate * seconds)):
            await asyncio.sleep(max(0.0, began_s + number / rate - loop.time()))
            visits.append(asyncio.create_task(self.visit()))
        return await asyncio.gather(*visits)


async def measure(
    servers: list[Server], instances: int, rooms: int, secret: str | None, args: argparse.Namespace
) -> Result:
    """Open the rooms, then join and leave others."""
    crowd = Crowd(servers, secret)
    await crowd.rush(4, 1.0)  # what a server allocates once is not a room's
    await asyncio.sleep(SETTLE_S)
    empty_kb = sum(server.memory_kb for server in servers)
    await crowd.open_rooms(rooms)
    await asyncio.sleep(SETTLE_S)
    full_kb = sum(server.memory_kb for server in servers)
    before_s = sum(server.cpu_s for server in servers)
    joins_per_s = await crowd.rush(args.at_once, args.seconds)
    used_s = sum(server.cpu_s for server in servers) - before_s
    await asyncio.sleep(SETTLE_S)
    times_s = await crowd.stream(args.rate, args.seconds)
    return Result(
        instances=instances,
        rooms=rooms,
        tokens=secret is not None,
        joins_per_s=round(joins_per_s, 1),
        joins_per_cpu_s=round(joins_per_s * args.seconds / used_s, 1),
        rate=args.rate,
        join_ms_p50=round(percentile(times_s, 50) * 1000, 2),
        join_ms_p95=round(percentile(times_s, 95) * 1000, 2),
        kb_per_room=round((full_kb - empty_kb) / rooms, 1),
    )


def run(args: argparse.Namespace) -> list[Result]:
    """Measure each case with servers of its own."""
    results = []
    secret = secrets.token_hex(32) if args.tokens else None
    guards = {} if secret is None else {"FACEWIRE_TOKEN_SECRET": secret, "FACEWIRE_API_KEY": secrets.token_hex(32)}
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, cores[1:])
    for instances in args.instances:
        for rooms in args.rooms:
            core = cores[0] if len(cores) > 1 else None
            with running(max(1, instances), instances > 0, core, **guards) as servers:
                results.append(asyncio.run(measure(servers, instances, rooms, secret, args)))
    return results


def table(results: list[Result]) -> Table:
    """Lay the results out."""
    shown = Table("servers", "open rooms", "joins/s", "joins/s of CPU", "time to join p50, p95", "memory a room")
    for each in results:
        shown.add_row(
            "1, in memory" if each.instances == 0 else f"{each.instances}, Redis",
            f"{each.rooms}",
            f"{each.joins_per_s:.0f}",
            f"{each.joins_per_cpu_s:.0f}",
            f"{each.join_ms_p50:.1f}, {each.join_ms_p95:.1f} ms at {each.rate:g}/s",
            f"{each.kb_per_room:.1f} kB",
        )
    return shown


def main(words: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Joins a second, time to join and memory of the signaling server.")
    parser.add_argument("--rooms", type=int, nargs="+", default=[1000, 5000], help="open rooms")
    parser.add_argument("--instances", type=int, nargs="+", default=[0, 1, 2], help="servers; 0: one, without Redis")
    parser.add_argument("--seconds", type=float, default=10.0, help="seconds of each measurement")
    parser.add_argument("--at-once", type=int, default=16, help="peers that join at one time")
    parser.add_argument("--rate", type=float, default=500.0, help="joins a second while times are measured")
    parser.add_argument("--tokens", action="store_true", help="servers that want a token, and check it")
    parser.add_argument("--kill", action="store_true", help="kill one of two servers while calls are set up")
    parser.add_argument("--calls", type=int, default=100, help="calls that are set up meanwhile")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    args = parser.parse_args(words)
    if args.kill:
        outcome = asyncio.run(kill_in_the_midst(args.calls))
        print(json.dumps(asdict(outcome)) if args.json else outcome.words)
        return
    results = run(args)
    if args.json:
        json.dump([asdict(result) for result in results], sys.stdout, indent=2)
        print()
    else:
        Console().print(table(results))


if __name__ == "__main__":
    main()
