"""delivery.py: from the outbox to the socket, and the end of a peer's time."""

import asyncio
from typing import NoReturn

import pytest

from signaling.delivery import Delivery
from signaling.errors import Refusal, RefusalCode
from signaling.messages import Message, PeerJoined, PeerLeft
from signaling.outbox import Outbox

CAME, WENT = PeerJoined(role="caller"), PeerLeft(role="caller")


class Peer:
    """What a peer is sent; it says nothing itself until `says` is set."""

    def __init__(self) -> None:
        self.got: list[Message] = []
        self.says: asyncio.Future[NoReturn] = asyncio.get_running_loop().create_future()
        self.reading_ended = False

    async def send(self, message: Message) -> None:
        await asyncio.sleep(0)
        self.got.append(message)

    async def read(self) -> NoReturn:
        try:
            await self.says
            raise AssertionError("expected an error")
        finally:
            self.reading_ended = True


def deliver(outbox: Outbox, peer: Peer, lifetime_s: float = 60.0, idle_s: float = 60.0) -> "asyncio.Task[NoReturn]":
    delivery = Delivery(outbox, peer.send, lifetime_s, idle_s, peer_present=False)
    return asyncio.create_task(delivery.beside(peer.read()))


async def until_got(peer: Peer, count: int) -> None:
    async with asyncio.timeout(10):
        while len(peer.got) < count:  # noqa: ASYNC110, the peer has no event
            await asyncio.sleep(0.001)


async def test_messages_are_sent_in_order_whenever_they_come_and_no_task_stays() -> None:
    outbox, peer = Outbox(4), Peer()
    outbox.put(CAME)
    sitting = deliver(outbox, peer)
    await until_got(peer, 1)
    before = len(asyncio.all_tasks())
    for message in (WENT, CAME):
        outbox.put(message)
    await until_got(peer, 3)
    await asyncio.sleep(0)
    assert peer.got == [CAME, WENT, CAME]
    assert len(asyncio.all_tasks()) <= before
    peer.says.set_exception(ConnectionError("gone"))
    with pytest.raises(ConnectionError, match="gone"):
        await sitting
    outbox.put(CAME)
    await asyncio.sleep(0.01)
    assert len(peer.got) == 3


async def test_peer_that_is_put_out_ends_its_reader_and_its_task_is_not_cancelled() -> None:
    outbox, peer = Outbox(4), Peer()
    sitting = deliver(outbox, peer)
    await asyncio.sleep(0)
    outbox.put_out(Refusal(RefusalCode.CAME_BACK, "back"))
    with pytest.raises(Refusal, match="back"):
        await sitting
    assert peer.reading_ended
    assert (sitting.cancelled(), sitting.cancelling()) == (False, 0)


async def test_cancelling_from_outside_stays_a_cancellation() -> None:
    outbox, peer = Outbox(4), Peer()
    sitting = deliver(outbox, peer)
    await asyncio.sleep(0)
    sitting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sitting
    assert peer.reading_ended


async def test_error_of_sending_is_raised() -> None:
    outbox, peer = Outbox(4), Peer()

    async def fail(message: Message) -> None:
        raise OSError("broken pipe")

    peer.send = fail  # type: ignore[method-assign]
    sitting = deliver(outbox, peer)
    outbox.put(CAME)
    with pytest.raises(OSError, match="broken pipe"):
        await sitting


async def test_lost_message_puts_a_slow_peer_out() -> None:
    outbox, peer = Outbox(1), Peer()
    outbox.put(CAME)
    outbox.put(WENT)
    with pytest.raises(Refusal, match="at most 1 unread") as refusal:
        await deliver(outbox, peer)
    assert refusal.value.code is RefusalCode.TOO_SLOW


async def test_time_alone_ends_but_not_beside_somebody() -> None:
    outbox, peer = Outbox(4), Peer()
    sitting = deliver(outbox, peer, idle_s=0.2)
    outbox.put(CAME)
    await asyncio.sleep(0.5)
    assert not sitting.done()
    outbox.put(WENT)
    with pytest.raises(Refusal, match="somebody to come within 0.2 s") as refusal:
        await sitting
    assert refusal.value.code is RefusalCode.IDLE


async def test_lifetime_ends_beside_somebody_too() -> None:
    outbox, peer = Outbox(4), Peer()
    outbox.put(CAME)
    with pytest.raises(Refusal, match="a call of at most 0.1 s") as refusal:
        await deliver(outbox, peer, lifetime_s=0.1, idle_s=0.05 + 1)
    assert refusal.value.code is RefusalCode.LIFETIME_OVER
