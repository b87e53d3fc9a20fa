"""Media messages in, motion out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codec import paper
from codec.encoder import encode_frames
from codec.errors import WireError
from codec.motion import Motion
from codec.symbols import SymbolReader
from codec.tables import ByteTables
from codec.wire import read_header


@dataclass(frozen=True)
class MediaMessage:
    """What one message said.

    sequence: 0..65535, wraps; `wire.unwrap_sequence` gives the order over a whole call. motions: 1 to 16 frames,
    oldest first.
    """

    sequence: int
    motions: tuple[Motion, ...]


class Decoder:
    """Reads the messages of one direction of one call, in any order, with any of them missing. It keeps no state."""

    def __init__(self, tables: ByteTables) -> None:
        """Decode with the tables that the sender codes with (compare `ByteTables.sha256`)."""
        self._tables = tables

    def decode(self, message: bytes | str) -> MediaMessage:
        """The frames in one message, exact to fp16 and to the millisecond.

        Accepts exactly the bytes that `Encoder` writes for some motion: no other spelling of a message, nothing
        behind it. Text, which a data channel can also deliver, is refused like any other message that is none.
        At most 16 frames are made, whatever the bytes say.

        Raises: WireError for anything else.
        """
        if isinstance(message, str):
            raise WireError(f"expected a media message in bytes, got text of {len(message)} characters")
        header, offset = read_header(message)
        motions = self._decode_frames(message[offset:], header.times_ms)
        if encode_frames(motions, self._tables) != message[offset:]:
            raise WireError("expected the shortest coding of the motion and nothing behind it, got other bytes")
        return MediaMessage(header.sequence, motions)

    def _decode_frames(self, payload: bytes, times_ms: tuple[int, ...]) -> tuple[Motion, ...]:
        keypoints = self._tables.keypoints
        if not payload:
            raise WireError("expected coded motion, the message ends after its header")
        if payload[0] != keypoints:
            raise WireError(f"expected motion of {keypoints} keypoints, got {payload[0]}")
        reader = SymbolReader(payload[1:])
        models = self._tables.models
        symbols = [[reader.take(model) for model in models] for _ in times_ms]
        return paper.bytes_to_motions(np.array(symbols, dtype=np.uint8), times_ms)
