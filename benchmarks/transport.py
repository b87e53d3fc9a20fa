"""What packets cost: wire rates of motion messages over real peers, stock aiortc beside `signaling/sctp.py`.

    python -m benchmarks.transport [--seconds 20] [--at-once 4] [--only WORD] [--json]

Two peers on this machine; each case sends `media` messages of 15 to 25 B each 60 ms (the last one 84 B, 30 a second),
one way or both ways, through a network that loses and delays at the UDP receive call with a fixed seed. Rates are all
bytes that a side puts on its UDP socket and 28 B a packet, after the connection is set up; "up" is the side that talks.
Every message that comes is compared with what was sent. Ages are from send to receive.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from signaling.peer import Peer

INTERVAL_S = 0.06
SETTLE_S = 3.0
"""From the open connection to the first message: what setting up still owes, and a retransmission of it."""


@dataclass(frozen=True)
class Case:
    """What is sent over which network."""

    name: str
    ways: int
    loss: float
    rtt_ms: int
    interval_s: float = INTERVAL_S
    message_bytes: tuple[int, int] = (15, 25)


@dataclass(frozen=True)
class Result:
    """One case with one kind of peers."""

    case: Case
    tuned: bool
    wire_kbps_up: float
    wire_kbps_down: float
    payload_kbps_up: float
    packets_per_s_up: float
    packets_per_s_down: float
    delivered: float
    """Share of the messages sent, both directions together."""
    age_ms_p50: float | None
    age_ms_p99: float | None


CASES = [
    Case("idle", 0, 0.0, 0),
    *(
        Case("one way" if ways == 1 else "both ways", ways, loss, rtt_ms)
        for ways in (1, 2)
        for rtt_ms in (0, 300)
        for loss in (0.0, 0.1, 0.2)
    ),
    Case("84 B, 30/s", 1, 0.1, 300, 1 / 30, (84, 84)),
]


def network(seed: int, loss: float, delay_s: float) -> Callable[[bytes, Callable[[], None]], None]:
    """Make a network of one direction that loses a share of the datagrams and delays the others."""
    chance = random.Random(seed)

    def impair(data: bytes, deliver: Callable[[], None]) -> None:
        if chance.random() >= loss:
            asyncio.get_running_loop().call_later(delay_s, deliver)

    return impair


def message(number: int, sizes: tuple[int, int]) -> bytes:
    """Return the message of this number: the number and noise that follows from it."""
    chance = random.Random(number)
    return number.to_bytes(4, "big") + chance.randbytes(chance.randint(*sizes) - 4)


class Way:
    """Messages in one direction."""

    def __init__(self, sender: Peer, receiver: Peer, case: Case) -> None:
        self._sender, self._case = sender, case
        self.sent_s: list[float] = []
        self.payload_bytes = 0
        self.ages_s: dict[int, float] = {}
        receiver.on_media = self._take

    def send(self) -> None:
        """Send the next message."""
        data = message(len(self.sent_s), self._case.message_bytes)
        self.sent_s.append(asyncio.get_running_loop().time())
        self.payload_bytes += len(data)
        self._sender.send_media(data)

    def _take(self, data: bytes) -> None:
        number = int.from_bytes(data[:4], "big")
        if data != message(number, self._case.message_bytes) or number in self.ages_s:
            raise SystemExit(f"message {number} came damaged or twice")
        self.ages_s[number] = asyncio.get_running_loop().time() - self.sent_s[number]


async def measure(case: Case, tuned: bool, seconds: float) -> Result:
    """Run one case. Raises SystemExit where what arrives is not what was sent, or not tuned as asked."""
    impair = [network(seed, case.loss, case.rtt_ms / 2000) for seed in (1, 2)]
    first, second = (Peer(impair=each, tuned=tuned) for each in impair)
    if (first.tuned, second.tuned) != (tuned, tuned):
        raise SystemExit("expected an aiortc that can be tuned: see FACEWIRE_TUNED_SCTP and the log")
    try:
        await first.accept(await second.answer(await first.offer()))
        await asyncio.gather(first.wait_open(60), second.wait_open(60))
        await asyncio.sleep(SETTLE_S)
        ways = [Way(first, second, case), Way(second, first, case)][: case.ways]
        start = [(peer.tap.sent.bytes, peer.tap.sent.packets) for peer in (first, second)]
        elapsed_s = await _talk(ways, case.interval_s, seconds)
        spent = [
            (peer.tap.sent.bytes - bytes_, peer.tap.sent.packets - packets)
            for peer, (bytes_, packets) in zip((first, second), start, strict=True)
        ]
        await asyncio.sleep(case.rtt_ms / 1000 + 0.5)
    finally:
        await asyncio.gather(first.close(), second.close())
    return _result(case, tuned, ways, spent, elapsed_s)


async def _talk(ways: Sequence[Way], interval_s: float, seconds: float) -> float:
    """Send on all ways each interval; returns the seconds that it took."""
    loop = asyncio.get_running_loop()
    start_s = loop.time()
    for index in range(round(seconds / interval_s)):
        await asyncio.sleep(start_s + index * interval_s - loop.time())
        for way in ways:
            way.send()
    await asyncio.sleep(start_s + seconds - loop.time())
    return loop.time() - start_s


def _result(case: Case, tuned: bool, ways: Sequence[Way], spent: Sequence[tuple[int, int]], elapsed_s: float) -> Result:
    ages_ms = sorted(age_s * 1000 for way in ways for age_s in way.ages_s.values())
    sent = sum(len(way.sent_s) for way in ways)
    (up_bytes, up_packets), (down_bytes, down_packets) = spent
    return Result(
        case,
        tuned,
        wire_kbps_up=round(up_bytes * 8e-3 / elapsed_s, 2),
        wire_kbps_down=round(down_bytes * 8e-3 / elapsed_s, 2),
        payload_kbps_up=round(ways[0].payload_bytes * 8e-3 / elapsed_s, 2) if ways else 0.0,
        packets_per_s_up=round(up_packets / elapsed_s, 2),
        packets_per_s_down=round(down_packets / elapsed_s, 2),
        delivered=round(len(ages_ms) / sent, 4) if sent else 1.0,
        age_ms_p50=round(statistics.median(ages_ms), 1) if ages_ms else None,
        age_ms_p99=round(ages_ms[int(0.99 * len(ages_ms))], 1) if ages_ms else None,
    )


async def measure_all(cases: Sequence[Case], seconds: float, at_once: int) -> list[Result]:
    """Run all cases with both kinds of peers, some at one time."""
    turn = asyncio.Semaphore(at_once)

    async def in_turn(case: Case, tuned: bool) -> Result:
        async with turn:
            return await measure(case, tuned, seconds)

    return await asyncio.gather(*(in_turn(case, tuned) for case in cases for tuned in (False, True)))


def table(results: Sequence[Result]) -> Table:
    """Stock and tuned beside each other, a line a case."""
    out = Table(title="wire kbps up / down; share delivered; age p50, p99 ms")
    for heading in ("case", "loss", "RTT ms", "payload"):
        out.add_column(heading)
    for kind in ("stock", "tuned"):
        for heading in (f"{kind} kbps", f"{kind} delivered", f"{kind} age ms"):
            out.add_column(heading, justify="right")
    for plain, tuned in zip(results[::2], results[1::2], strict=True):
        cells = [plain.case.name, f"{plain.case.loss:.0%}", str(plain.case.rtt_ms), f"{plain.payload_kbps_up:.1f}"]
        for each in (plain, tuned):
            ages = "-" if each.age_ms_p50 is None else f"{each.age_ms_p50:.0f}, {each.age_ms_p99:.0f}"
            cells += [f"{each.wire_kbps_up:.1f} / {each.wire_kbps_down:.1f}", f"{each.delivered:.1%}", ages]
        out.add_row(*cells)
    return out


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    options = _parse(arguments)
    cases = [case for case in CASES if options.only in case.name]
    if not cases:
        names = ", ".join(sorted({case.name for case in CASES}))
        raise SystemExit(f"expected --only to name a case ({names}), got '{options.only}'")
    results = asyncio.run(measure_all(cases, options.seconds, options.at_once))
    if options.json:
        print(json.dumps([asdict(result) for result in results], indent=2))
    else:
        Console(width=140).print(table(results))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Wire rates of motion messages, stock and tuned.")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each case talks (default 20)")
    parser.add_argument("--at-once", type=int, default=4, help="cases at one time (default 4); fewer on a slow machine")
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    if options.seconds <= 0 or options.at_once < 1:
        parser.error("expected --seconds above 0 and --at-once of at least one")
    return options


if __name__ == "__main__":
    main()
