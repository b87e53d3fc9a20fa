"""What a message says besides motion, as symbols of the range coder: what it builds on, its frames, acknowledgements.

The tables are constants of the format. Each function runs the same way in both directions (see `SymbolCoder`): it is
given what to write, or anything when reading, and returns what stands in the message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from codec.acknowledgement import ACKNOWLEDGED_BEFORE, NOTHING_HELD, Acknowledgement
from codec.errors import WireError
from codec.symbols import SymbolCoder, flat_model, weighted_model
from codec.wire import MAX_FRAMES, MAX_TIME_MS, SEQUENCE_MODULUS

MAX_REPEATS: Final = 15
MAX_STEP: Final = 64
"""A message builds on the state after one of the 64 before it."""

_JITTER: Final = 8  # ms by which a frame may differ from its place in the usual spacing
_LONGEST_COUNT: Final = 7  # usual spacings between two frames, before the gap is written out


FRAMES: Final = weighted_model(60, 400, 400, 100, 12, *[2] * (MAX_FRAMES - 4))
REPEATS: Final = weighted_model(*[2] * (MAX_REPEATS + 1), 900, 40, 20, 10, *[1] * (MAX_REPEATS - 3))
STEP: Final = weighted_model(900, *[8] * 7, *[1] * (MAX_STEP - 8))
LEVEL: Final = weighted_model(98, 1, 1)
SAME: Final = weighted_model(99, 1)
COUNT: Final = weighted_model(2, 80, 10, 3, 2, 1, 1, 1)
JITTER: Final = weighted_model(*[1] * (_JITTER - 2), 4, 24, 200, 24, 4, *[1] * (_JITTER - 2))
ANSWER: Final = weighted_model(75, 22, 2, 1)
BIT: Final = weighted_model(1, 1)
RECEIVED: Final = weighted_model(1, 15)
BYTE: Final = flat_model(256)
NIBBLE: Final = flat_model(16)


@dataclass(frozen=True)
class Links:
    """How a message's motion hangs on earlier ones.

    builds: whether it builds on a state; otherwise it begins from nothing. steps: from this message back to the
    newest repeated one, to the one before it, ... and, if it builds on a state, to that one; each 1 to 64.
    """

    builds: bool
    steps: tuple[int, ...]

    @property
    def repeats(self) -> int:
        """How many earlier messages' last frames ride along."""
        return len(self.steps) - self.builds


def code_links(coder: SymbolCoder, links: Links) -> Links:
    """The links of a message that has motion."""
    shape = coder.code(links.builds * (MAX_REPEATS + 1) + links.repeats, REPEATS)
    builds, repeats = divmod(shape, MAX_REPEATS + 1)
    steps = links.steps or (1,) * (repeats + builds)  # when reading, what is given is of no matter
    steps = (steps + (1,) * (repeats + builds))[: repeats + builds]
    return Links(bool(builds), tuple(coder.code(step - 1, STEP) + 1 for step in steps))


def code_answer(coder: SymbolCoder, answer: Acknowledgement | None) -> Acknowledgement | None:
    """The acknowledgement of the other direction, or none: absent, held, held but lacking, lacking and nothing held."""
    kind = coder.code(_answer_kind(answer), ANSWER)
    if kind == 0:
        return None
    if kind == 3:
        return Acknowledgement(NOTHING_HELD, 0, lacking=True)
    given = answer or Acknowledgement(0, 0)
    newest = coder.code(given.newest >> 8 & 3, _QUARTER) << 8 | coder.code(given.newest & 0xFF, BYTE)
    bits = [coder.code(given.received >> bit & 1, RECEIVED) << bit for bit in range(ACKNOWLEDGED_BEFORE)]
    return Acknowledgement(newest, sum(bits), lacking=kind == 2)


def code_gap(coder: SymbolCoder, gap_ms: int, period_ms: int) -> int:
    """Milliseconds from one frame to the next: so many usual spacings and a little, or written out."""
    count, jitter = _split_gap(gap_ms, period_ms)
    count = coder.code(count, COUNT)
    if count == 0:
        return code_number(coder, gap_ms, 4)
    gap_ms = count * period_ms + coder.code(jitter + _JITTER, JITTER) - _JITTER
    if gap_ms < 0:
        raise WireError(f"expected frames in the order of their capture, got one {-gap_ms} ms before the last")
    return gap_ms


def code_period(coder: SymbolCoder, period_ms: int, before_ms: int) -> int:
    """The usual spacing of frames, 1 to 255 ms: as before, or another."""
    if coder.code(int(period_ms != before_ms), SAME) == 0:
        return before_ms
    period_ms = coder.code(period_ms & 0xFF, BYTE)
    if period_ms == 0:
        raise WireError("expected a usual spacing of 1 to 255 ms, got 0")
    return period_ms


def code_number(coder: SymbolCoder, number: int, size: int) -> int:
    """An integer of `size` bytes, highest first."""
    bytes_ = number.to_bytes(size, "big")
    return int.from_bytes(bytes(coder.code(byte, BYTE) for byte in bytes_), "big")


def later(time_ms: int, gap_ms: int) -> int:
    """The sum, a capture time. WireError above the limit."""
    if time_ms + gap_ms > MAX_TIME_MS:
        raise WireError(f"expected capture times up to {MAX_TIME_MS} ms, got {time_ms + gap_ms} ms")
    return time_ms + gap_ms


def usual_spacing(times_ms: Sequence[int], before_ms: int) -> int:
    """The spacing to code with next, 1 to 255 ms: as before unless the newest gaps agree on another.

    Args: times_ms: capture times, oldest first. before_ms: the spacing so far, 0 for none.
    """
    gaps = [b - a for a, b in zip(times_ms, times_ms[1:], strict=False)][-4:]
    if not gaps:
        return before_ms or 40
    middle = min(max(sorted(gaps)[len(gaps) // 2], 1), 0xFF)
    settled = len(gaps) == 4 and all(abs(gap - middle) <= 2 for gap in gaps) and abs(middle - before_ms) > 2
    return middle if settled or not before_ms else before_ms


_QUARTER: Final = flat_model(SEQUENCE_MODULUS >> 8)


def _answer_kind(answer: Acknowledgement | None) -> int:
    if answer is None:
        return 0
    if answer.newest == NOTHING_HELD:
        return 3
    return 2 if answer.lacking else 1


def _split_gap(gap_ms: int, period_ms: int) -> tuple[int, int]:
    """So many spacings and so many ms more; (0, 0) where that does not fit."""
    count = max(round(gap_ms / period_ms), 1) if period_ms else 0
    jitter = gap_ms - count * period_ms
    return (count, jitter) if count <= _LONGEST_COUNT and abs(jitter) <= _JITTER else (0, 0)
