"""Motion in, media messages out."""

from __future__ import annotations

from collections.abc import Sequence

from codec import paper
from codec.errors import MotionError
from codec.motion import Motion
from codec.symbols import SymbolWriter
from codec.tables import ByteTables
from codec.wire import MAX_FRAMES, MAX_TIME_MS, SEQUENCE_MODULUS, MessageHeader, Profile, write_header


class Encoder:
    """Writes the messages of one direction of one call; its only state is the sequence number."""

    def __init__(self, tables: ByteTables, first_sequence: int = 0) -> None:
        """Code with these tables; the receiver must hold the same (compare `ByteTables.sha256`).

        Args: first_sequence: number of the first message; numbers count up and wrap at 65536.
        """
        self._tables = tables
        self._sequence = first_sequence % SEQUENCE_MODULUS

    def encode(self, motions: Sequence[Motion]) -> bytes:
        """One media message with these frames, oldest first.

        Capture times travel in whole milliseconds (rounded), numbers as fp16; see `paper.vectors_to_bytes` for
        numbers that fp16 cannot hold. Messages stand alone: any can be lost, none needs another.

        Args: motions: 1 to 16 frames with the tables' number of keypoints, capture times never falling and below
            2^32 ms.
        Raises: MotionError otherwise; the sequence number is then not used up.
        """
        self._check(motions)
        times_ms = tuple(round(motion.capture_time_s * 1000) for motion in motions)
        header = write_header(MessageHeader(Profile.PAPER, self._sequence, times_ms))
        message = header + encode_frames(motions, self._tables)
        self._sequence = (self._sequence + 1) % SEQUENCE_MODULUS
        return message

    def _check(self, motions: Sequence[Motion]) -> None:
        if not 1 <= len(motions) <= MAX_FRAMES:
            raise MotionError(f"expected 1 to {MAX_FRAMES} frames for a message, got {len(motions)}")
        for motion in motions:
            if motion.keypoints != self._tables.keypoints:
                raise MotionError(f"expected motion of {self._tables.keypoints} keypoints, got {motion.keypoints}")
        times_s = [motion.capture_time_s for motion in motions]
        if times_s != sorted(times_s):
            raise MotionError(f"expected frames in the order of their capture, got times {times_s} s")
        if times_s[-1] > MAX_TIME_MS / 1000:
            raise MotionError(f"expected capture times up to {MAX_TIME_MS / 1000} s, got {times_s[-1]} s")


def encode_frames(motions: Sequence[Motion], tables: ByteTables) -> bytes:
    """The `paper` payload: the number of keypoints, then all frames' bytes under one flush of the range coder."""
    writer = SymbolWriter()
    for frame in paper.motions_to_bytes(motions).tolist():
        for symbol, model in zip(frame, tables.models, strict=True):
            writer.put(symbol, model)
    return bytes((tables.keypoints,)) + writer.finish()
