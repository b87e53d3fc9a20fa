"""channel.py: what comes is stamped and counted; what waits is bounded."""

from receiver.channel import Inbox


async def test_take_stamps_and_counts() -> None:
    clock = iter([50.5, 51.0])
    inbox = Inbox(10, now=lambda: next(clock))
    inbox.take(b"one")
    inbox.take(b"three")
    assert (inbox.waiting.put_count, inbox.payload_bytes) == (2, 8)
    assert await inbox.waiting.get() == (50.5, b"one")


def test_take_drops_the_oldest() -> None:
    inbox = Inbox(3)
    for number in range(10):
        inbox.take(bytes([number]))
    assert inbox.waiting.dropped == 7
    assert len(inbox.waiting) == 3


async def test_take_after_the_end_is_not_part_of_the_call() -> None:
    inbox = Inbox(10)
    inbox.take(b"in time")
    inbox.end()
    inbox.take(b"too late")
    assert inbox.payload_bytes == 7
    assert (await inbox.waiting.get() or (0, b""))[1] == b"in time"
    assert inbox.waiting.ended
