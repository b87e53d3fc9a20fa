"""The source picture's way over the control channel: announced, wanted or not, in chunks, checked by its hash."""

import hashlib
from collections.abc import Callable

from signaling.control import ANSWER_TIMEOUT_S, ControlChannel
from signaling.control_messages import (
    CHUNK_BYTES,
    CHUNK_HEADER_BYTES,
    ControlMessage,
    Mime,
    SourceBegin,
    SourceHave,
    SourceReady,
    SourceWant,
    name_of,
)
from signaling.errors import ControlError


async def send_source(control: ControlChannel, picture: bytes, mime: Mime, ready_timeout_s: float) -> int:
    """Offer the source picture, send it if wanted, wait until the other side is ready to render.

    Returns the bytes of the picture that crossed the wire: 0 where the receiver had it.
    Raises CallRefused, ControlError, PeerGone.
    """
    sha256 = hashlib.sha256(picture).hexdigest()
    chunks = [picture[start : start + CHUNK_BYTES] for start in range(0, len(picture), CHUNK_BYTES)]
    control.send(SourceBegin(sha256=sha256, bytes=len(picture), mime=mime, chunks=len(chunks)))
    answer = await control.expect(ControlMessage)
    if not isinstance(answer, SourceWant | SourceHave) or answer.sha256 != sha256:
        raise ControlError(f"expected 'source_want' or 'source_have' for {sha256[:12]}, got {name_of(answer)}")
    wanted = isinstance(answer, SourceWant)
    for index, chunk in enumerate(chunks if wanted else []):
        await control.send_chunk(index, chunk)
    await control.expect(SourceReady, ready_timeout_s)
    return len(picture) if wanted else 0


class SourceAssembly:
    """Puts a source picture together from its chunks. Plain; holds at most the bytes that were announced."""

    def __init__(self, begin: SourceBegin) -> None:
        expected = -(-begin.bytes // begin.chunk_bytes)
        if begin.chunks != expected:
            raise ControlError(f"expected {expected} chunks for {begin.bytes} bytes, {begin.chunks} are announced")
        self._begin = begin
        self._data = bytearray()
        self._next = 0

    def add(self, chunk: bytes) -> None:
        """Add the next chunk, index first. Raises ControlError for one out of order or of a wrong length."""
        index = int.from_bytes(chunk[:CHUNK_HEADER_BYTES], "big")
        if index != self._next or index >= self._begin.chunks:
            raise ControlError(f"expected chunk {self._next} of {self._begin.chunks}, got chunk {index}")
        expected = min(self._begin.chunk_bytes, self._begin.bytes - len(self._data))
        if len(chunk) - CHUNK_HEADER_BYTES != expected:
            raise ControlError(f"expected {expected} bytes in chunk {index}, got {len(chunk) - CHUNK_HEADER_BYTES}")
        self._data += chunk[CHUNK_HEADER_BYTES:]
        self._next += 1

    @property
    def complete(self) -> bool:
        """Whether all chunks are there."""
        return self._next == self._begin.chunks

    def finish(self) -> bytes:
        """Return the picture. Raises ControlError where its hash is not the announced one."""
        sha256 = hashlib.sha256(self._data).hexdigest()
        if sha256 != self._begin.sha256:
            raise ControlError(f"expected a source picture with hash {self._begin.sha256[:12]}, got {sha256[:12]}")
        return bytes(self._data)


async def receive_source(
    control: ControlChannel, find: Callable[[str], bytes | None]
) -> tuple[SourceBegin, bytes, int]:
    """Take the offered source picture, from what `find(sha256)` has or over the wire.

    The caller answers `source_ready` when it can render. Returns the announcement, the picture's bytes, and how many of
    them crossed the wire. Raises ControlError, PeerGone, CallRefused.
    """
    begin = await control.expect(SourceBegin)
    assembly = SourceAssembly(begin)
    known = find(begin.sha256)
    if known is not None:
        control.send(SourceHave(sha256=begin.sha256))
        return begin, known, 0
    control.send(SourceWant(sha256=begin.sha256))
    while not assembly.complete:
        try:
            chunk = await control.receive(ANSWER_TIMEOUT_S)
        except TimeoutError:
            raise ControlError(f"expected the source picture, nothing more came for {ANSWER_TIMEOUT_S:g} s") from None
        if not isinstance(chunk, bytes):
            raise ControlError(f"expected a chunk of the source picture, got {name_of(chunk)}")
        assembly.add(chunk)
    return begin, assembly.finish(), begin.bytes
