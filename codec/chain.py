"""`predictive`: frames on top of a state, and the state after them. One code for both directions (`SymbolCoder`).

    state before (or nothing) -> level, usual spacing, then for each frame: gap, 3K+6 residuals -> state after

A state is a function of two frames alone, the last one of a message and the one that message builds on: so it is the
same whether it came with its own message or again with a later one, which repeats last frames only.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from codec.errors import WireError
from codec.fields import BYTE, LEVEL, code_gap, code_number, code_period, later
from codec.motion import number_count
from codec.predictive_tables import LEVELS, PredictiveTables
from codec.quantise import Integers, requantise
from codec.residual import changes_between, code_frame
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
    """What can be built on: the last frame of message `number` (of the whole call), and how it changed.

    parent: the message whose state the frame was predicted from, None for a beginning. changes [3K+6], 0..15: how far
    the frame's integers are from the parent's.
    """

    number: int
    parent: int | None
    level: Level
    period_ms: int
    frame: Frame
    changes: list[int]

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
    reference, changes = _reference(before, level, number_count(tables.keypoints))
    frames: list[Frame] = []
    for frame in group.frames:
        begins = before is None and not frames
        time_before_ms = frames[-1].time_ms if frames else before.frame.time_ms if before else 0
        time_ms = _code_time(coder, frame.time_ms, time_before_ms, period_ms, begins)
        integers = code_frame(coder, frame.integers, reference, changes, tables, level, begins)
        reference, changes = integers, changes_between(reference, integers)
        frames.append(Frame(time_ms, integers))
    return Group(level, period_ms, tuple(frames))


def state_after(group: Group, before: State | None, number: int) -> State:
    """The state that message `number` leaves when its frames stand on top of `before`."""
    last = group.frames[-1]
    reference, _ = _reference(before, group.level, len(last.integers))
    changes = changes_between(reference, last.integers) if before else [0] * len(reference)
    return State(number, before.number if before else None, group.level, group.period_ms, last, changes)


def blank_group(frames: int, keypoints: int) -> Group:
    """What is given to `code_group` to read so many frames."""
    return Group(Level.HIGH, 1, (Frame(0, [0] * number_count(keypoints)),) * frames)


def code_check(coder: SymbolCoder, state: State) -> bool:
    """Eight bits by which a reader knows that it came to the writer's state; whether it did."""
    check = zlib.crc32(state_bytes(state)) & 0xFF
    return coder.code(check, BYTE) == check


def state_bytes(state: State) -> bytes:
    """The state as bytes: level u8, period u8, time u32, integers i16, big-endian. FORMAT.md, "Check"."""
    head = bytes((state.level, state.period_ms)) + state.frame.time_ms.to_bytes(4, "big")
    return head + b"".join(integer.to_bytes(2, "big", signed=True) for integer in state.frame.integers)


def _reference(before: State | None, level: Level, count: int) -> tuple[Integers, Sequence[int]]:
    if before is None:
        return [0] * count, [0] * count
    return requantise(before.frame.integers, before.level, level), requantise(before.changes, before.level, level)


def _code_time(coder: SymbolCoder, time_ms: int, before_ms: int, period_ms: int, begins: bool) -> int:
    if begins:
        return code_number(coder, time_ms, 4)
    if period_ms < 1:
        raise WireError("expected a usual spacing of 1 to 255 ms, got 0")
    return later(before_ms, code_gap(coder, max(time_ms - before_ms, 0), period_ms))
