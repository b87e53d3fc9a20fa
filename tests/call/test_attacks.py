"""What no honest peer sends, to a real engine over a real connection: refused in words, and nothing of it is kept."""

import asyncio
import hashlib
import io
import json
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import pytest
from PIL import Image

from call.engine import Engine
from call.room_link import RoomLink
from codec.wire import WIRE_VERSION
from models.weights import Model
from receiver.errors import SourceError
from signaling.client import SignalingClient
from signaling.control import agree
from signaling.control_messages import ControlMessage, Hello, Idle, SourceBegin
from signaling.errors import CallRefused, ControlError
from signaling.peer import Peer, answer_sender
from tests.call.engines import make_engine
from tests.call.fronts import Remembering, act

pytestmark = pytest.mark.network
GIB = 1 << 30
M = TypeVar("M", bound=ControlMessage)


@asynccontextmanager
async def attacked(
    model: Model, url: str, consent: bool = False
) -> AsyncIterator[tuple[Peer, "asyncio.Task[str]", Engine]]:
    """Yield a peer that is ours to misuse, after hello, and the call of the engine on the other side."""
    engine = make_engine(model, RoomLink(url, "r"), Remembering())
    async with await SignalingClient.join(url, "r", "call") as evil:
        engine.start(consent)
        calling = asyncio.create_task(engine.run())
        peer = await answer_sender(evil, Peer, 20)
        tables = model.codec_tables.sha256
        hello = Hello(role="callee", codec_format=WIRE_VERSION, model_id=model.model_id, tables_sha256=tables)
        try:
            await agree(peer.control, hello)
            yield peer, calling, engine
        finally:
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)
            await peer.close()


def begin(picture: bytes, **changes: object) -> str:
    """Announce a picture in chunks of 1 KiB."""
    words: dict[str, object] = {
        "type": "source_begin",
        "sha256": hashlib.sha256(picture).hexdigest(),
        "bytes": len(picture),
        "mime": "image/png",
        "chunks": -(-len(picture) // 1024),
        "chunk_bytes": 1024,
    }
    return json.dumps(words | changes)


def chunks(picture: bytes, order: Callable[[list[bytes]], list[bytes]] = lambda all_of_it: all_of_it) -> list[bytes]:
    """Cut a picture into chunks with their indices."""
    starts = range(0, len(picture), 1024)
    return order([index.to_bytes(4, "big") + picture[at : at + 1024] for index, at in enumerate(starts)])


def bomb() -> bytes:
    """A picture of 400 million pixels in 50 kB."""
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "PNG")
    return file.getvalue()


NOISE = bytes(range(256)) * 20
ATTACKS: dict[str, tuple[list[str | bytes], type[Exception], str]] = {
    "a picture of 2 GB": ([begin(NOISE, bytes=2 * GIB, chunks=4096)], ControlError, "source_begin.bytes"),
    "a number of chunks that does not fit": ([begin(NOISE, chunks=1)], ControlError, "expected 5 chunks"),
    "a decompression bomb": ([begin(bomb()), *chunks(bomb())], SourceError, "expected a source picture"),
    "no picture at all": ([begin(NOISE), *chunks(NOISE)], SourceError, "expected a source picture in image/png"),
    "a wrong hash": ([begin(NOISE, sha256="0" * 64), *chunks(NOISE)], ControlError, "with hash 000000000000"),
    "a hash with a path in it": ([begin(NOISE, sha256="../" + "0" * 61)], ControlError, "source_begin.sha256"),
    "chunks out of order": ([begin(NOISE), *chunks(NOISE, lambda them: them[::-1])], ControlError, "expected chunk 0"),
    "a chunk twice": ([begin(NOISE), *chunks(NOISE, lambda them: them[:1] * 2)], ControlError, "expected chunk 1"),
    "more chunks than announced": ([begin(NOISE[:900]), b"\0\0\0\0" + NOISE], ControlError, "expected 900 bytes"),
    "a chunk of nothing": ([b"\0\0\0\0" * 10], ControlError, "chunk"),
    "a picture nobody offered is wanted": (
        [json.dumps({"type": "source_want", "sha256": "0" * 64})],
        ControlError,
        "not on offer",
    ),
    "hello again": (
        [json.dumps({"type": "hello", "role": "callee", "codec_format": 1, "model_id": "", "tables_sha256": ""})],
        ControlError,
        "hello",
    ),
    "no JSON": (["{"], ControlError, "expected a control message"),
    "words without end": (['{"type": "chat", "text": "' + "x" * 20_000 + '"}'], ControlError, "at most 16384 bytes"),
}


@pytest.mark.parametrize("name", ATTACKS)
async def test_attack_is_refused_in_words_on_both_sides(tiny: Model, url: str, name: str) -> None:
    messages, kind, words = ATTACKS[name]
    async with attacked(tiny, url) as (peer, calling, engine):
        tracemalloc.start()
        try:
            for message in messages:
                peer.control._send(message)
            with pytest.raises(kind, match=words):
                await asyncio.wait_for(calling, 20)
            _, most_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert most_bytes < 16 << 20
        assert engine.progress.state.value == "ended"
        with pytest.raises(CallRefused, match="the other side refused: "):
            await asyncio.wait_for(_until_refused(peer), 5)


async def test_picture_wanted_again_and_again_is_sent_once(tiny: Model, url: str) -> None:
    async with attacked(tiny, url, consent=True) as (peer, calling, engine):
        filming = asyncio.create_task(act(engine, 0, sound=False))
        try:
            offered = await asyncio.wait_for(_until(peer, SourceBegin), 60)
            for _ in range(2):
                peer.control._send(json.dumps({"type": "source_want", "sha256": offered.sha256}))
            with pytest.raises(ControlError, match="it was wanted again"):
                await asyncio.wait_for(calling, 20)
        finally:
            filming.cancel()
            await asyncio.gather(filming, return_exceptions=True)


async def _until(peer: Peer, kind: type[M]) -> M:
    while True:
        peer.control.send(Idle(reason="still here"))
        with suppress(TimeoutError):
            message = await peer.control.receive(0.5)
            if isinstance(message, kind):
                return message


async def _until_refused(peer: Peer) -> None:
    while True:
        await peer.control.receive()
