"""source_transfer.py: the picture arrives whole or not at all, and never takes more memory than announced."""

import asyncio
import hashlib
import random

import pytest

from signaling.control_messages import CHUNK_BYTES, MAX_SOURCE_BYTES, SourceBegin, SourceReady
from signaling.errors import ControlError
from signaling.source_transfer import SourceAssembly, receive_source, send_source
from tests.signaling.test_control import Wire, make


def begin_for(picture: bytes, **changes: object) -> SourceBegin:
    sha256 = hashlib.sha256(picture).hexdigest()
    begin = SourceBegin(sha256=sha256, bytes=len(picture), mime="image/webp", chunks=-(-len(picture) // CHUNK_BYTES))
    return begin.model_copy(update=changes)


def chunk(index: int, data: bytes) -> bytes:
    return index.to_bytes(4, "big") + data


def join(a: Wire, b: Wire) -> None:
    """Make two wires each other's ends."""
    loop = asyncio.get_running_loop()
    a.send = lambda data: loop.call_soon(b.emit, "message", data)  # type: ignore[assignment, method-assign]
    b.send = lambda data: loop.call_soon(a.emit, "message", data)  # type: ignore[assignment, method-assign]


@pytest.mark.parametrize("size", [1, CHUNK_BYTES, CHUNK_BYTES + 1, MAX_SOURCE_BYTES])
async def test_transfer_whole_picture(size: int) -> None:
    picture = random.Random(size).randbytes(size)
    (wire_a, a), (wire_b, b) = make(), make()
    join(wire_a, wire_b)
    sending = asyncio.create_task(send_source(a, picture, "image/webp", ready_timeout_s=5))
    begin, received, crossed = await receive_source(b, lambda sha256: None)
    b.send(SourceReady(sha256=begin.sha256))
    assert received == picture
    assert crossed == size
    assert await sending == size


async def test_transfer_nothing_where_the_receiver_has_it() -> None:
    picture = b"a picture" * 1000
    (wire_a, a), (wire_b, b) = make(), make()
    join(wire_a, wire_b)
    sending = asyncio.create_task(send_source(a, picture, "image/webp", ready_timeout_s=5))
    asked = []

    def find(sha256: str) -> bytes:
        asked.append(sha256)
        return picture

    begin, received, crossed = await receive_source(b, find)
    b.send(SourceReady(sha256=begin.sha256))
    assert (received, crossed, await sending) == (picture, 0, 0)
    assert asked == [hashlib.sha256(picture).hexdigest()]


async def test_send_source_answer_for_another_picture() -> None:
    wire, control = make()
    wire.emit("message", '{"type": "source_want", "sha256": "' + "0" * 64 + '"}')
    with pytest.raises(ControlError, match="expected 'source_want' or 'source_have' for"):
        await send_source(control, b"picture", "image/webp", ready_timeout_s=1)


def test_assembly_wrong_number_of_chunks_announced() -> None:
    with pytest.raises(ControlError, match="expected 1 chunks for 7 bytes, 2 are announced"):
        SourceAssembly(begin_for(b"picture", chunks=2))


@pytest.mark.parametrize("index", [1, 2, 0xFFFFFFFF])
def test_assembly_chunks_out_of_order(index: int) -> None:
    assembly = SourceAssembly(begin_for(b"x" * (2 * CHUNK_BYTES)))
    with pytest.raises(ControlError, match=f"expected chunk 0 of 2, got chunk {index}"):
        assembly.add(chunk(index, b"x" * CHUNK_BYTES))


def test_assembly_same_chunk_twice() -> None:
    assembly = SourceAssembly(begin_for(b"x" * (2 * CHUNK_BYTES)))
    assembly.add(chunk(0, b"x" * CHUNK_BYTES))
    with pytest.raises(ControlError, match="expected chunk 1 of 2, got chunk 0"):
        assembly.add(chunk(0, b"x" * CHUNK_BYTES))


def test_assembly_more_chunks_than_announced() -> None:
    assembly = SourceAssembly(begin_for(b"picture"))
    assembly.add(chunk(0, b"picture"))
    assert assembly.complete
    with pytest.raises(ControlError, match="got chunk 1"):
        assembly.add(chunk(1, b"more"))


@pytest.mark.parametrize("length", [1, CHUNK_BYTES - 1])
def test_assembly_chunk_of_wrong_length(length: int) -> None:
    assembly = SourceAssembly(begin_for(b"x" * (CHUNK_BYTES + 5)))
    with pytest.raises(ControlError, match=f"expected {CHUNK_BYTES} bytes in chunk 0, got {length}"):
        assembly.add(chunk(0, b"x" * length))


def test_assembly_wrong_hash() -> None:
    assembly = SourceAssembly(begin_for(b"picture"))
    assembly.add(chunk(0, b"Picture"))
    with pytest.raises(ControlError, match="expected a source picture with hash"):
        assembly.finish()


async def test_receive_source_message_among_the_chunks() -> None:
    wire, control = make()
    wire.emit("message", begin_for(b"picture").model_dump_json())
    wire.emit("message", '{"type": "idle", "reason": ""}')
    with pytest.raises(ControlError, match="expected a chunk of the source picture, got 'idle'"):
        await receive_source(control, lambda sha256: None)


async def test_receive_source_stops_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.source_transfer.ANSWER_TIMEOUT_S", 0.01)
    wire, control = make()
    wire.emit("message", begin_for(b"picture").model_dump_json())
    with pytest.raises(ControlError, match="nothing more came for"):
        await receive_source(control, lambda sha256: None)
