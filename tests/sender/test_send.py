"""send.py: what waits too long is not sent."""

from sender.send import MediaSender


class Line:
    """A channel whose socket takes nothing until the test says so."""

    def __init__(self) -> None:
        self.media_waiting_bytes = 0
        self.sent: list[bytes] = []

    def send_media(self, message: bytes) -> None:
        self.sent.append(message)
        self.media_waiting_bytes += len(message)


def test_send_counts() -> None:
    channel = MediaSender(Line())
    channel.send(b"x" * 100, 2)
    channel.send(b"x" * 50, 1)
    assert (channel.messages, channel.frames, channel.payload_bytes) == (2, 3, 150)


def test_congested_when_more_than_two_messages_wait() -> None:
    line = Line()
    channel = MediaSender(line)
    states = []
    for _ in range(4):
        states.append(channel.congested)
        channel.send(b"x" * 100, 2)
    assert states == [False, False, False, True]
    line.media_waiting_bytes = 0
    assert not channel.congested


def test_congested_counts_messages_after_a_large_one() -> None:
    line = Line()
    channel = MediaSender(line)
    channel.send(b"x" * 1000, 1)
    line.media_waiting_bytes = 0
    for _ in range(3):
        assert not channel.congested
        channel.send(b"x" * 20, 1)
    assert channel.congested
    line.media_waiting_bytes -= 20
    assert not channel.congested
