"""channel.py: all that comes is recorded; what waits is bounded."""

from codec.errors import RecordingError
from receiver.channel import Inbox


class Tape:
    """A recorder that is full after some messages."""

    def __init__(self, room: int = 1000) -> None:
        self.written: list[tuple[float, bytes]] = []
        self._room = room

    def write(self, received_time_s: float, message: bytes) -> None:
        if len(self.written) >= self._room:
            raise RecordingError("no space left")
        self.written.append((received_time_s, message))


async def test_take_stamps_counts_and_records_from_time_zero() -> None:
    clock = iter([50.0, 50.5, 51.0])
    tape = Tape()
    inbox = Inbox(10, tape, now=lambda: next(clock))
    inbox.take(b"one")
    inbox.take(b"three")
    assert tape.written == [(0.5, b"one"), (1.0, b"three")]
    assert (inbox.waiting.put_count, inbox.payload_bytes) == (2, 8)
    assert await inbox.waiting.get() == (50.5, b"one")


def test_take_records_what_the_queue_drops() -> None:
    tape = Tape()
    inbox = Inbox(3, tape)
    for number in range(10):
        inbox.take(bytes([number]))
    assert len(tape.written) == 10
    assert inbox.waiting.dropped == 7
    assert len(inbox.waiting) == 3


def test_take_what_no_recording_can_hold_is_left_to_the_decoder() -> None:
    tape = Tape()
    inbox = Inbox(10, tape)
    inbox.take(b"")
    inbox.take(b"x" * 65536)
    assert tape.written == []
    assert inbox.waiting.put_count == 2


def test_take_goes_on_when_the_recording_fails_and_keeps_why() -> None:
    inbox = Inbox(10, Tape(room=1))
    for _ in range(3):
        inbox.take(b"x")
    assert inbox.waiting.put_count == 3
    assert str(inbox.record_error) == "no space left"


async def test_take_after_the_end_is_not_part_of_the_call() -> None:
    tape = Tape()
    inbox = Inbox(10, tape)
    inbox.take(b"in time")
    inbox.end()
    inbox.take(b"too late")
    assert [message for _, message in tape.written] == [b"in time"]
    assert (await inbox.waiting.get() or (0, b""))[1] == b"in time"
    assert inbox.waiting.ended
