"""`predictive`: frames on top of a state, and the state after them. One code for both directions (`SymbolCoder`).

    state before (or nothing) -> level, usual spacing, then for each frame: gap, 3K+6 residuals -> state after

A state is the last frame of a message and nothing besides: so it is the same whether it came with its own message or
again with a later one, which repeats last frames only, and no matter what that one was told against.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from codec.errors import WireError
from codec.fields import LEVEL, NIBBLE, code_gap, code_number, code_period, later
from codec.motion import number_count
from codec.predictive_tables import LEVELS, PredictiveTables
from codec.quantise import Integers, requantise
from codec.residual import code_frame
from codec.symbols import SymbolCoder
from codec.wire import Level


@dataclass(frozen=True)
class Frame:
    """A frame as it travels: capture time in whole ms, integers [3K+6]."""

    time_ms: int
    integers: Integers


@dataclass(frozen=True)
class Group:
    """Frames of one message. level: of their integers. period_ms: usual spacing, 1 to 255. frames: oldest first."""

    level: Level
    period_ms: int
    frames: tuple[Frame, ...]


@dataclass(frozen=True)
class State:
    """What can be built on: the last frame of message `number` (of the whole call), and the usual spacing of frames."""

    number: int
    level: Level
    period_ms: int
    frame: Frame

    @property
    def last(self) -> Group:
        """The last frame alone: what of this message rides along when it is repeated."""
        return Group(self.level, self.period_ms, (self.frame,))


def code_group(coder: SymbolCoder, group: Group, before: State | None, tables: PredictiveTables) -> Group:
    """Frames on top of a state, or on nothing. WireError for fields out of range."""
    level_before = before.level if before else Level.HIGH
    step = coder.code((group.level - level_before) % LEVELS, LEVEL)
    level = Level((level_before + step) % LEVELS)
    period_ms = code_period(coder, group.period_ms, before.period_ms if before else 0)
    if period_ms == 0:
        raise WireError("expected a usual spacing of 1 to 255 ms where motion begins, got none")
    blank = [0] * number_count(tables.keypoints)
    reference = requantise(before.frame.integers, before.level, level) if before else blank
    frames: list[Frame] = []
    for frame in group.frames:
        begins = before is None and not frames
        time_before_ms = frames[-1].time_ms if frames else before.frame.time_ms if before else 0
        time_ms = _code_time(coder, frame.time_ms, time_before_ms, period_ms, begins)
        reference = code_frame(coder, frame.integers, reference, tables, level, begins)
        frames.append(Frame(time_ms, reference))
    return Group(level, period_ms, tuple(frames))


def state_after(group: Group, number: int) -> State:
    """The state that message `number` leaves behind."""
    return State(number, group.level, group.period_ms, group.frames[-1])


def blank_group(frames: int, keypoints: int) -> Group:
    """What is given to `code_group` to read so many frames."""
    return Group(Level.HIGH, 1, (Frame(0, [0] * number_count(keypoints)),) * frames)


def code_check(coder: SymbolCoder, state: State) -> bool:
    """Four bits by which a reader knows that it came to the writer's state; whether it did.

    One difference in 16 goes unseen, but stays, and is seen in the messages that build on it.
    """
    check = zlib.crc32(state_bytes(state)) & 0x0F
    return coder.code(check, NIBBLE) == check


def state_bytes(state: State) -> bytes:
    """The state as bytes: level u8, period u8, time u32, integers i16, big-endian. FORMAT.md, "Check"."""
    head = bytes((state.level, state.period_ms)) + state.frame.time_ms.to_bytes(4, "big")
    return head + b"".join(integer.to_bytes(2, "big", signed=True) for integer in state.frame.integers)


def _code_time(coder: SymbolCoder, time_ms: int, before_ms: int, period_ms: int, begins: bool) -> int:
    if begins:
        return code_number(coder, time_ms, 4)
    return later(before_ms, code_gap(coder, max(time_ms - before_ms, 0), period_ms))
