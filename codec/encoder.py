"""Motion in, media messages out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codec import paper
from codec.acknowledgement import Acknowledgement
from codec.chain import Frame, Group, State, code_check, code_group, state_after
from codec.codec_tables import CodecTables
from codec.errors import MotionError
from codec.fields import FRAMES, MAX_REPEATS, Links, code_answer, code_links, usual_spacing
from codec.motion import Motion
from codec.quantise import quantise, requantise
from codec.references import References
from codec.symbols import SymbolWriter
from codec.wire import (
    MAX_FRAMES,
    MAX_SOUND_BYTES,
    MAX_TIME_MS,
    SEQUENCE_MODULUS,
    Envelope,
    Level,
    Profile,
    write_message,
)


class Encoder:
    """Writes the messages of one direction of one call.

    level: how finely `predictive` codes; may be set between messages.
    """

    def __init__(
        self,
        tables: CodecTables,
        profile: Profile = Profile.PREDICTIVE,
        level: Level = Level.HIGH,
        first_sequence: int = 0,
    ) -> None:
        """Code with these tables; the receiver must hold the same (compare `CodecTables.sha256`).

        Args: first_sequence: number of the first message; numbers count up and wrap at 1024.
        """
        self.level = level
        self._tables = tables
        self._profile = profile
        self._number = first_sequence % SEQUENCE_MODULUS
        self._x_c: NDArray[np.float64] | None = None
        self._references = References()
        self._sent: deque[tuple[int, Motion]] = deque(maxlen=MAX_REPEATS)  # for `paper`: last frames by number
        self._times_ms: deque[int] = deque(maxlen=5)
        self._period_ms = 0

    def set_source(self, x_c: ArrayLike) -> None:
        """Take the canonical keypoints x_c [K,3] of the source image, delta is told against them. MotionError."""
        keypoints = np.array(x_c, dtype=np.float64)
        if keypoints.shape != (self._tables.keypoints, 3) or not np.isfinite(keypoints).all():
            raise MotionError(f"expected {self._tables.keypoints} finite keypoints [K,3], got {keypoints.shape}")
        self._x_c = keypoints

    def take_acknowledgement(self, acknowledgement: Acknowledgement) -> None:
        """Take what the receiver says of our messages: what the next ones build on follows from it."""
        self._references.take(acknowledgement, self._number)

    def encode(
        self,
        motions: Sequence[Motion],
        *,
        repeat: int = 0,
        repeat_each: int = 1,
        keypoints: int | None = None,
        acknowledge: Acknowledgement | None = None,
        sound: bytes = b"",
    ) -> bytes:
        """One media message with these frames, oldest first, and what else is to travel.

        Capture times travel in whole milliseconds (rounded).

        Args: motions: up to 16 frames with the tables' number of keypoints, capture times never falling and below
                2^32 ms; none only where there is something else to say.
            repeat: how many earlier messages' last frames ride along, 0 to 15, so that the receiver needs no state
                newer than that of `repeat`+1 messages ago. What the receiver has acknowledged is not repeated.
            repeat_each: of those, only the last, the one so many before it, and so on: as many losses in a row do no
                harm, for fewer bytes; what is left out is not seen again. 1 or more.
            keypoints: `paper` only: send delta of the first ones alone, 0 to K.
            acknowledge: for the other direction. sound: a section of it (sound.py), up to 4000 bytes.
        Raises: MotionError otherwise; the sequence number is then not used up.
        """
        self._check(motions, repeat, repeat_each, keypoints, sound)
        if not (motions or acknowledge or sound):
            raise MotionError("expected frames, an acknowledgement or sound for a message, got nothing to say")
        writer = SymbolWriter()
        code_answer(writer, acknowledge)
        writer.code(len(motions), FRAMES)
        if motions:
            self._settle_period(motions)
            if self._profile is Profile.PAPER:
                self._write_paper(writer, motions, repeat, repeat_each, keypoints)
            else:
                self._write_predictive(writer, motions, repeat, repeat_each)
        sequence = self._number % SEQUENCE_MODULUS
        self._number += 1
        return write_message(Envelope(self._profile, sequence, sound, writer.finish()))

    def _write_predictive(self, writer: SymbolWriter, motions: Sequence[Motion], repeat: int, repeat_each: int) -> None:
        base, repeated = self._references.choose(self._number, repeat, repeat_each)
        chain = [self._number, *(state.number for state in reversed(repeated)), *([base.number] if base else [])]
        code_links(writer, Links(base is not None, _steps(chain)))
        tables = self._tables.predictive
        for state in repeated:
            code_group(writer, state.last, base, tables)
            base = state
        group = Group(self.level, self._period_ms, tuple(self._quantised(motions, base)))
        code_group(writer, group, base, tables)
        state = state_after(group, self._number)
        code_check(writer, state)
        self._references.keep(state, self._number)

    def _quantised(self, motions: Sequence[Motion], base: State | None) -> Iterator[Frame]:
        """Frames in integers, each rounded with a view to the one before it."""
        before = requantise(base.frame.integers, base.level, self.level) if base else None
        for motion in motions:
            before = quantise(motion, self._x_c, self._tables.predictive, self.level, before)
            yield Frame(_ms(motion), before)

    def _write_paper(
        self, writer: SymbolWriter, motions: Sequence[Motion], repeat: int, repeat_each: int, keypoints: int | None
    ) -> None:
        repeated = list(self._sent)[::-1][:repeat:repeat_each][::-1]
        chain = [self._number, *(number for number, _ in reversed(repeated))]
        code_links(writer, Links(False, _steps(chain)))
        sent = [motion for _, motion in repeated] + list(motions)
        times_ms = [_ms(motion) for motion in sent]
        count = self._tables.keypoints if keypoints is None else keypoints
        frames = paper.motions_to_bytes(sent)
        paper.code_frames(writer, frames, times_ms, self._period_ms, count, self._tables.paper)
        self._sent.append((self._number, motions[-1]))

    def _settle_period(self, motions: Sequence[Motion]) -> None:
        self._times_ms.extend(map(_ms, motions))
        self._period_ms = usual_spacing(tuple(self._times_ms), self._period_ms)

    def _check(
        self, motions: Sequence[Motion], repeat: int, repeat_each: int, keypoints: int | None, sound: bytes
    ) -> None:
        count = self._tables.keypoints
        if len(motions) > MAX_FRAMES:
            raise MotionError(f"expected up to {MAX_FRAMES} frames for a message, got {len(motions)}")
        if not 0 <= repeat <= MAX_REPEATS:
            raise MotionError(f"expected 0 to {MAX_REPEATS} messages to repeat, got {repeat}")
        if repeat_each < 1:
            raise MotionError(f"expected to repeat each message or every so many, 1 or more, got {repeat_each}")
        if len(sound) > MAX_SOUND_BYTES:
            raise MotionError(f"expected up to {MAX_SOUND_BYTES} bytes of sound, got {len(sound)}")
        if keypoints is not None and not (0 <= keypoints <= count and self._profile is Profile.PAPER):
            raise MotionError(f"expected 0 to {count} keypoints, and in profile paper only, got {keypoints}")
        for motion in motions:
            if motion.keypoints != count:
                raise MotionError(f"expected motion of {count} keypoints, got {motion.keypoints}")
        times_s = [motion.capture_time_s for motion in motions]
        if any(time_s > MAX_TIME_MS / 1000 for time_s in times_s):
            raise MotionError(f"expected capture times up to {MAX_TIME_MS / 1000} s, got {max(times_s)} s")
        times_ms = [*list(self._times_ms)[-1:], *map(_ms, motions)]
        if times_ms != sorted(times_ms):
            raise MotionError(f"expected frames in the order of their capture, got times {times_ms} ms")


def _ms(motion: Motion) -> int:
    return round(motion.capture_time_s * 1000)


def _steps(chain: Sequence[int]) -> tuple[int, ...]:
    """Differences between numbers that fall."""
    return tuple(later - earlier for later, earlier in zip(chain, chain[1:], strict=False))
