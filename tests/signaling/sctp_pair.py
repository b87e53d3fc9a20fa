"""Two SCTP transports joined by a line that loses and delays, on a clock that jumps: minutes of traffic in no time."""

import asyncio
import random
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, TypeVar

from aiortc import RTCDataChannel, RTCDataChannelParameters, rtcsctptransport
from aiortc.rtcsctptransport import Chunk, RTCSctpCapabilities, RTCSctpTransport, parse_packet

from signaling.sctp import TunedSctp

T = TypeVar("T")
Loses = Callable[[float, list[Chunk]], bool]
"""Asked for each packet, by time and chunks: whether the line loses it."""


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer when nothing is ready. Sockets are not waited for."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        loop = self

        class Jump(selectors.SelectSelector):
            def select(self, timeout: float | None = None) -> Any:
                if timeout is None:
                    raise AssertionError("nothing is ready and no timer runs: the test would wait for ever")
                loop.now_s += timeout
                return super().select(0)

        super().__init__(Jump())

    def time(self) -> float:
        return self.now_s


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine on a clock that jumps; aiortc's own clock is the same."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        stock: Any = rtcsctptransport
        real = stock.time
        stock.time = SimpleNamespace(time=runner.get_loop().time)
        try:
            return runner.run(main())
        finally:
            stock.time = real


@dataclass
class Packet:
    """A packet as it left."""

    at_s: float
    chunks: list[Chunk]
    size_bytes: int
    lost: bool

    def has(self, kind: type[Chunk]) -> bool:
        """Whether it holds a chunk of this kind."""
        return any(isinstance(chunk, kind) for chunk in self.chunks)


@dataclass
class Line:
    """What SCTP takes for its DTLS transport: one direction out of it, to `other`."""

    _role: str
    delay_s: float
    loses: Loses
    state: str = "connected"
    other: "Line | None" = None
    receiver: Any = None
    packets: list[Packet] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)

    def _register_data_receiver(self, receiver: Any) -> None:
        self.receiver = receiver

    def _unregister_data_receiver(self, receiver: Any) -> None:
        self.receiver = None

    async def _send_data(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        if self.state != "connected":
            raise ConnectionError("not connected")
        chunks = parse_packet(data)[3]
        packet = Packet(loop.time(), chunks, len(data), self.loses(loop.time(), chunks))
        self.packets.append(packet)
        if not packet.lost and self.other is not None:
            loop.call_later(self.delay_s, self.other._arrive, data)

    def _arrive(self, data: bytes) -> None:
        if self.receiver is not None:
            asyncio.get_running_loop().create_task(self.receiver._handle_data(data))

    def since(self, at_s: float) -> list[Packet]:
        """Packets that left from then on."""
        return [packet for packet in self.packets if packet.at_s >= at_s]


@dataclass
class End:
    """One end: its transport, its line out, two channels as Peer makes them, and what came in on them, by time."""

    sctp: RTCSctpTransport
    line: Line
    control: RTCDataChannel
    media: RTCDataChannel
    control_in: list[tuple[float, bytes]] = field(default_factory=list)
    media_in: list[tuple[float, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        time = asyncio.get_running_loop().time
        self.control.on("message", lambda message: self.control_in.append((time(), message)))
        self.media.on("message", lambda message: self.media_in.append((time(), message)))


def _make(role: str, tuned: bool, delay_s: float, loses: Loses) -> End:
    line = Line(role, delay_s, loses)
    sctp = (TunedSctp if tuned else RTCSctpTransport)(line)  # type: ignore[arg-type]
    control = RTCDataChannel(sctp, RTCDataChannelParameters(label="control", negotiated=True, id=0))
    media = RTCDataChannel(
        sctp, RTCDataChannelParameters(label="media", negotiated=True, id=1, ordered=False, maxRetransmits=0)
    )
    return End(sctp, line, control, media)


@asynccontextmanager
async def pair(
    first_tuned: bool = True,
    second_tuned: bool = True,
    rtt_s: float = 0.0,
    first_loses: Loses = lambda at_s, chunks: False,
    second_loses: Loses = lambda at_s, chunks: False,
) -> AsyncIterator[tuple[End, End]]:
    """Yield two ends with open channels. Losses begin after that; `first_loses` is about what the first end sends."""
    good = True
    first = _make("client", first_tuned, rtt_s / 2, lambda at_s, chunks: not good and first_loses(at_s, chunks))
    second = _make("server", second_tuned, rtt_s / 2, lambda at_s, chunks: not good and second_loses(at_s, chunks))
    first.line.other, second.line.other = second.line, first.line
    await asyncio.gather(*(end.sctp.start(RTCSctpCapabilities(262144), 5000) for end in (first, second)))
    while first.media.readyState != "open" or second.media.readyState != "open":  # noqa: ASYNC110, virtual time
        await asyncio.sleep(0.01)
    await asyncio.sleep(1.0)
    good = False
    try:
        yield first, second
    finally:
        await first.sctp.stop()
        await second.sctp.stop()


def seeded_loss(seed: int, share: float) -> Loses:
    """Lose this share of packets, the same ones for the same seed."""
    source = random.Random(seed)
    return lambda at_s, chunks: source.random() < share


async def talk(*ends: End, seconds: float, message_bytes: int = 20, each_s: float = 0.06) -> None:
    """Send media from these ends, numbered from 0, then wait until the line is quiet."""
    for number in range(round(seconds / each_s)):
        for end in ends:
            end.media.send(number.to_bytes(4, "big") + bytes(message_bytes - 4))
        await asyncio.sleep(each_s)
    await asyncio.sleep(120.0)  # stock lets its RTO grow to a quarter of a minute with loss
