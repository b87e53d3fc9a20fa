"""control.py over a channel that stands in for aiortc's: what a dishonest or dying peer may do to us."""

import asyncio
from typing import cast

import pytest
from aiortc import InvalidStateError, RTCDataChannel
from pyee.asyncio import AsyncIOEventEmitter

from signaling.control import QUEUE_MESSAGES, TEXT_BURST, ControlChannel, agree
from signaling.control_messages import CHUNK_BYTES, Bye, Hello, Idle, Refuse, Start, parse_control_message
from signaling.errors import CallRefused, ControlError, Mismatch, PeerGone

SENDER = Hello(role="sender", codec_format=1, model_id="a" * 64, tables_sha256="b" * 64)
RECEIVER = SENDER.model_copy(update={"role": "receiver"})


class Wire(AsyncIOEventEmitter):
    """A data channel whose other end is the test."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str | bytes] = []
        self.bufferedAmount = 0
        self.bufferedAmountLowThreshold = 0
        self.open = True

    def send(self, data: str | bytes) -> None:
        if not self.open:
            raise InvalidStateError
        self.sent.append(data)

    def close(self) -> None:
        self.open = False
        self.emit("close")


def make() -> tuple[Wire, ControlChannel]:
    wire = Wire()
    return wire, ControlChannel(cast(RTCDataChannel, wire))


async def test_expect_returns_the_message_and_tells_that_it_heard() -> None:
    wire, control = make()
    heard = []
    control.on_heard = lambda: heard.append(1)
    wire.emit("message", Start(frame_rate=25).model_dump_json())
    assert await control.expect(Start) == Start(frame_rate=25)
    assert heard == [1]


async def test_expect_another_message_names_both() -> None:
    wire, control = make()
    wire.emit("message", Idle(reason="").model_dump_json())
    with pytest.raises(ControlError, match="expected 'start', got 'idle'"):
        await control.expect(Start)
    wire.emit("message", b"\x00" * 20)
    with pytest.raises(ControlError, match="expected 'start', got a chunk of 20 bytes"):
        await control.expect(Start)


async def test_expect_nothing_comes() -> None:
    _, control = make()
    with pytest.raises(ControlError, match=r"expected 'start' within 0\.01 s, nothing came"):
        await control.expect(Start, timeout_s=0.01)


async def test_expect_refusal_is_raised_in_the_other_sides_words() -> None:
    wire, control = make()
    wire.emit("message", Refuse(reason="expected another model").model_dump_json())
    with pytest.raises(CallRefused, match="the other side refused: expected another model"):
        await control.expect(Start)


async def test_receive_after_close_gives_what_came_before_and_then_peer_gone() -> None:
    wire, control = make()
    wire.emit("message", Idle(reason="").model_dump_json())
    wire.close()
    assert await control.receive() == Idle(reason="")
    with pytest.raises(PeerGone):
        await control.receive()
    with pytest.raises(PeerGone):
        control.send(Idle(reason=""))


@pytest.mark.parametrize("data", ["{}", "x" * 9000, b"", b"\x00" * 4, b"\x00" * (CHUNK_BYTES + 5)])
async def test_receive_what_breaks_the_rules(data: str | bytes) -> None:
    wire, control = make()
    wire.emit("message", data)
    with pytest.raises(ControlError, match="expected"):
        await control.receive()


async def test_receive_flood_is_bounded_and_said() -> None:
    wire, control = make()
    for _ in range(10 * QUEUE_MESSAGES):
        wire.emit("message", Idle(reason="").model_dump_json())

    async def read_all() -> None:
        for _ in range(QUEUE_MESSAGES):
            await control.receive(timeout_s=0.01)

    with pytest.raises(ControlError, match="expected at most 128 unread"):
        await read_all()


async def test_receive_more_words_a_second_than_a_call_has() -> None:
    wire, time_s = Wire(), 0.0
    control = ControlChannel(cast(RTCDataChannel, wire), now=lambda: time_s)
    for _ in range(TEXT_BURST):
        wire.emit("message", Idle(reason="").model_dump_json())
        await control.expect(Idle)
    wire.emit("message", Idle(reason="").model_dump_json())
    with pytest.raises(ControlError, match="expected at most 10 control messages a second"):
        await control.receive()
    time_s = 0.1
    wire.emit("message", Idle(reason="").model_dump_json())
    await control.expect(Idle)
    wire.emit("message", b"0000" + bytes(CHUNK_BYTES))
    assert isinstance(await control.receive(), bytes)


async def test_send_chunk_waits_while_the_channel_is_full() -> None:
    wire, control = make()
    wire.bufferedAmount = 3 * CHUNK_BYTES
    sending = asyncio.create_task(control.send_chunk(7, b"abc"))
    await asyncio.sleep(0.01)
    assert wire.sent == []
    wire.bufferedAmount = 0
    wire.emit("bufferedamountlow")
    await sending
    assert wire.sent == [b"\x00\x00\x00\x07abc"]


async def test_send_chunk_to_a_peer_that_is_gone_does_not_wait_for_ever() -> None:
    wire, control = make()
    wire.bufferedAmount = 3 * CHUNK_BYTES
    sending = asyncio.create_task(control.send_chunk(0, b"abc"))
    await asyncio.sleep(0.01)
    wire.close()
    with pytest.raises(PeerGone):
        await asyncio.wait_for(sending, 1)


async def test_agree_mismatch_is_an_error_in_words_after_the_own_hello_is_sent() -> None:
    wire, control = make()
    wire.emit("message", RECEIVER.model_copy(update={"model_id": "c" * 64}).model_dump_json())
    with pytest.raises(Mismatch, match="expected the same model on both sides, this sender has aaaaaaaaaaaa"):
        await agree(control, SENDER)
    assert [parse_control_message(str(text)) for text in wire.sent] == [SENDER]


async def test_refuse_sends_the_words_and_gives_them_a_moment_until_the_other_side_closes() -> None:
    wire, control = make()
    refusing = asyncio.create_task(control.refuse("expected less" * 100))
    await asyncio.sleep(0.01)
    assert not refusing.done()
    refuse = parse_control_message(str(wire.sent[0]))
    assert isinstance(refuse, Refuse)
    assert refuse.reason == ("expected less" * 100)[:500]
    wire.close()
    await asyncio.wait_for(refusing, 0.4)


async def test_agree_something_else_instead_of_hello() -> None:
    wire, control = make()
    wire.emit("message", Bye(frames=0, messages=0, reason="").model_dump_json())
    with pytest.raises(ControlError, match="expected 'hello', got 'bye'"):
        await agree(control, SENDER)
