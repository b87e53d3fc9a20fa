"""A second decoder, written from FORMAT.md alone: plain integers and floats, nothing of numpy, constriction or `codec`.

It reads what the codec writes, so FORMAT.md says enough for somebody else to write one. It trusts its input.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Table = Sequence[int]  # frequencies with sum 65536


def shares(weights: Sequence[int]) -> list[int]:
    """FORMAT.md, "Constant tables"."""
    rest, total = 65536 - len(weights), sum(weights)
    frequencies = [1 + weight * rest // total for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(weights[i] * rest % total), i))
    for index in order[: 65536 - sum(frequencies)]:
        frequencies[index] += 1
    return frequencies


ANSWER = shares([75, 22, 2, 1])
RECEIVED = shares([1, 15])
FRAMES = shares([60, 400, 400, 100, 12] + [2] * 12)
LINKS = shares([2] * 16 + [900, 40, 20, 10] + [1] * 12)
STEP = shares([900] + [8] * 7 + [1] * 56)
LEVEL = shares([98, 1, 1])
SPACING = shares([99, 1])
COUNT = shares([2, 80, 10, 3, 2, 1, 1, 1])
JITTER = shares([1] * 6 + [4, 24, 200, 24, 4] + [1] * 6)


def flat(size: int) -> list[int]:
    return shares([1] * size)


class RangeDecoder:
    """FORMAT.md, "Range coder"."""

    def __init__(self, coded: bytes) -> None:
        self.coded, self.position = coded, 8
        self.low, self.width = 0, 2**64 - 1
        self.point = int.from_bytes(coded[:8].ljust(8, b"\0"), "big")

    def take(self, table: Table) -> int:
        scale = self.width >> 24
        symbol, left, right = interval(table, ((self.point - self.low) % 2**64) // scale)
        self.low, self.width = (self.low + scale * left) % 2**64, scale * (right - left)
        if self.width < 2**32:
            word = int.from_bytes(self.coded[self.position : self.position + 4].ljust(4, b"\0"), "big")
            self.low, self.width = self.low * 2**32 % 2**64, self.width * 2**32
            self.point = (self.point * 2**32 + word) % 2**64
            self.position += 4
        return symbol

    def number(self, size: int) -> int:
        return int.from_bytes(bytes(self.take(flat(256)) for _ in range(size)), "big")


def interval(table: Table, quantile: int) -> tuple[int, int, int]:
    """The symbol whose interval [left, right) of 0 .. 2^24 holds the quantile."""
    cumulative, left = 0, 0
    for symbol, frequency in enumerate(table):
        cumulative += frequency
        right = (cumulative * (2**24 - len(table)) >> 16) + symbol + 1
        if quantile < right:
            return symbol, left, right
        left = right
    raise ValueError("no encoder writes these bytes")


def decode_symbols(coded: bytes, tables: Sequence[Table]) -> list[int]:
    """One symbol from each table in turn."""
    decoder = RangeDecoder(coded)
    return [decoder.take(table) for table in tables]


@dataclass
class State:
    level: int
    period_ms: int
    time_ms: int
    integers: list[int]


@dataclass
class Message:
    """Every field of a media message; frames are (capture time in ms, integers or fp16 numbers)."""

    sequence: int
    profile: int
    sound: bytes
    answer: tuple[int, int, bool] | None = None
    builds: bool = False
    numbers: list[int] = field(default_factory=list)  # of the repeated ones and this, of the whole call
    level: int = 0
    repeated: list[tuple[int, list[Any]]] = field(default_factory=list)
    frames: list[tuple[int, list[Any]]] = field(default_factory=list)
    check: bool = True


class ReferenceDecoder:
    """Reads the messages of one call in the order of their numbers; `tables` as in tests/vectors/tables_k3.json."""

    def __init__(self, tables: dict[str, Any]) -> None:
        self.tables = tables
        self.count = len(tables["mean"]) + 6
        self.states: dict[int, State] = {}

    def decode(self, data: bytes, newest: int) -> Message:
        """Args: newest: the largest number so far."""
        sequence, offset, sound = (data[0] & 3) * 256 + data[1], 2, b""
        if data[0] & 4:
            size = data[2] if data[2] < 128 else (data[2] - 128) * 256 + data[3]
            offset = 3 + (data[2] >= 128)
            sound, offset = data[offset : offset + size], offset + size
        coded = RangeDecoder(data[offset:])
        message = Message(sequence, 1 if data[0] & 8 else 2, sound, self.answer(coded))
        frames = coded.take(FRAMES)
        number = newest + (sequence - newest + 512) % 1024 - 512
        if frames:
            self.motion(coded, message, number, frames)
        return message

    def answer(self, coded: RangeDecoder) -> tuple[int, int, bool] | None:
        kind = coded.take(ANSWER)
        if kind in (0, 3):
            return None if kind == 0 else (-1, 0, True)
        newest = coded.take(flat(4)) * 256 + coded.take(flat(256))
        return newest, sum(coded.take(RECEIVED) << bit for bit in range(16)), kind == 2

    def motion(self, coded: RangeDecoder, message: Message, number: int, frames: int) -> None:
        builds, repeats = divmod(coded.take(LINKS), 16)
        steps = [coded.take(STEP) + 1 for _ in range(repeats + builds)]
        numbers = [number - sum(steps[:count]) for count in range(len(steps), -1, -1)]
        message.builds = bool(builds)
        before = self.states[numbers.pop(0)] if builds else None
        message.numbers = numbers
        if message.profile == 1:
            decoded = self.paper(coded, repeats + frames)
            message.repeated, message.frames = decoded[:repeats], decoded[repeats:]
            return
        for index, one in enumerate(numbers):
            last = index == repeats
            group, before = self.group(coded, before, frames if last else 1)
            (message.frames if last else message.repeated).extend(group)
            self.states[one] = before
        assert before is not None
        message.level, message.check = before.level, coded.take(flat(16)) == check_of(before)

    def group(
        self, coded: RangeDecoder, before: State | None, frames: int
    ) -> tuple[list[tuple[int, list[Any]]], State]:
        level = ((before.level if before else 0) + coded.take(LEVEL)) % 3
        period_ms = coded.number(1) if coded.take(SPACING) else before.period_ms if before else 0
        integers = at_level(before.integers, before.level, level) if before else [0] * self.count
        time_ms = before.time_ms if before else 0
        found: list[tuple[int, list[Any]]] = []
        for index in range(frames):
            begins = before is None and index == 0
            time_ms = coded.number(4) if begins else time_ms + self.gap(coded, period_ms)
            integers = self.integers(coded, integers, level + 3 * begins)
            found.append((time_ms, integers))
        return found, State(level, period_ms, time_ms, integers)

    def gap(self, coded: RangeDecoder, period_ms: int) -> int:
        count = coded.take(COUNT)
        return count * period_ms + coded.take(JITTER) - 8 if count else coded.number(4)

    def integers(self, coded: RangeDecoder, reference: list[int], mode: int) -> list[int]:
        run, found = 1024, []
        for index, before in enumerate(reference):
            context = sum(run >= 1024 * share // 100 for share in (15, 30, 50, 75, 110, 160, 240))
            table = self.tables["frequencies"][self.tables["classes"][mode][index]][context]
            residual = self.residual(coded, table)
            run += (min(abs(residual), 15) * self.tables["weights"][mode][index] - run) >> 3
            found.append(before + residual)
        return found

    def residual(self, coded: RangeDecoder, table: Table) -> int:
        symbol = coded.take(table)
        if symbol < 25:
            return (symbol + 1) // 2 if symbol % 2 else -symbol // 2
        sign, magnitude = (-1 if coded.take(flat(2)) else 1), 1
        for _ in range(coded.take(flat(17))):
            magnitude = 2 * magnitude + coded.take(flat(2))
        return sign * (magnitude + 12)

    def paper(self, coded: RangeDecoder, frames: int) -> list[tuple[int, list[Any]]]:
        keypoints = coded.number(1)
        coded.take(SPACING)  # always 1: another spacing than none
        period_ms = coded.number(1)
        times_ms = [coded.number(4)]
        for _ in range(frames - 1):
            times_ms.append(times_ms[-1] + self.gap(coded, period_ms))
        tables = self.tables["paper"][: 12 + 6 * keypoints]
        found: list[tuple[int, list[Any]]] = []
        for time_ms in times_ms:
            coded_bytes = bytes(coded.take(table) for table in tables)
            numbers = [*struct.unpack(f">{len(tables) // 2}e", coded_bytes)]
            found.append((time_ms, numbers + [0.0] * (self.count - len(numbers))))
        return found

    def motion_of(self, integers: list[int], level: int) -> list[float]:
        """The 3K+6 numbers that integers stand for."""
        steps = [step / 2**24 * 2**level for step in self.tables["steps"]]
        pose = [integer * step for integer, step in zip(integers[:6], steps, strict=False)]
        local = [mean / 8192 for mean in self.tables["mean"]]
        for integer, row in zip(integers[6:], self.tables["basis"], strict=True):
            for index, number in enumerate(row):
                local[index] += integer * steps[6] * number / 8192
        R = rotation(*(math.radians(angle) for angle in pose[:3]))
        turned = []
        for at in range(0, len(local), 3):
            turned += [sum(R[row][axis] * local[at + axis] for axis in range(3)) for row in range(3)]
        return pose + turned


def at_level(integers: list[int], before: int, after: int) -> list[int]:
    if after > before:
        return [(q + (1 << (after - before - 1))) >> (after - before) for q in integers]
    return [max(-32767, min(32767, q << (before - after))) for q in integers]


def check_of(state: State) -> int:
    packed = struct.pack(f">BBI{len(state.integers)}h", state.level, state.period_ms, state.time_ms, *state.integers)
    return zlib.crc32(packed) & 15


def rotation(yaw: float, pitch: float, roll: float) -> list[list[float]]:
    sy, cy, sp, cp, sr, cr = (f(a) for a in (yaw, pitch, roll) for f in (math.sin, math.cos))
    return [
        [cr * cy, -sr * cp + cr * sy * sp, -sr * sp - cr * sy * cp],
        [sr * cy, cr * cp + sr * sy * sp, cr * sp - sr * sy * cp],
        [sy, -cy * sp, cy * cp],
    ]
