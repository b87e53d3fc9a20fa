"""A second decoder, written from FORMAT.md alone: plain integers, no numpy, no constriction, nothing of `codec`.

It reads what the codec writes, so FORMAT.md says enough for somebody else to write one. It trusts its input.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

Table = Sequence[int]  # 256 frequencies with sum 65536


@dataclass(frozen=True)
class ReferenceMessage:
    """Every field of a media message."""

    version: int
    profile: int
    sequence: int
    times_ms: list[int]
    keypoints: int
    vectors: list[list[float]]


def decode_message(message: bytes, tables: Sequence[Table]) -> ReferenceMessage:
    """FORMAT.md, "Media message" and "Profile 1: paper"."""
    frames = (message[1] & 15) + 1
    times_ms, offset = decode_times(message, frames)
    keypoints = message[offset]
    symbols = decode_symbols(message[offset + 1 :], [*tables] * frames)
    size = len(tables)
    vectors = [
        [*struct.unpack(f">{size // 2}e", bytes(symbols[frame * size : (frame + 1) * size]))] for frame in range(frames)
    ]
    sequence = message[2] * 256 + message[3]
    return ReferenceMessage(message[0] & 15, message[1] >> 4, sequence, times_ms, keypoints, vectors)


def decode_times(message: bytes, frames: int) -> tuple[list[int], int]:
    """Capture times in ms, and the offset behind them."""
    times_ms: list[int] = []
    offset, step, shift = 4, 0, 0
    while len(times_ms) < frames:
        step |= (message[offset] & 127) << shift
        shift += 7
        if message[offset] < 128:
            times_ms.append(step + (times_ms[-1] if times_ms else 0))
            step, shift = 0, 0
        offset += 1
    return times_ms, offset


def decode_symbols(coded: bytes, tables: Sequence[Table]) -> list[int]:
    """FORMAT.md, "Range coder": one symbol from each table in turn."""
    low, width = 0, 2**64 - 1
    point, position = int.from_bytes(coded[:8].ljust(8, b"\0"), "big"), 8
    symbols = []
    for table in tables:
        scale = width >> 24
        symbol, left, right = interval(table, ((point - low) % 2**64) // scale)
        symbols.append(symbol)
        low, width = (low + scale * left) % 2**64, scale * (right - left)
        if width < 2**32:
            word = int.from_bytes(coded[position : position + 4].ljust(4, b"\0"), "big")
            low, width, point = low * 2**32 % 2**64, width * 2**32, (point * 2**32 + word) % 2**64
            position += 4
    return symbols


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
