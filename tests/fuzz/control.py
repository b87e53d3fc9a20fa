"""Any text: `parse_control_message` gives a message that is written and read again as itself, or a ControlError.

input: u8, bit 0 set: the text follows as UTF-8, in which lone surrogates stand for themselves; bytes that are no UTF-8
for U+FFFD. Not set: u8, which kind of message, then pairs of u8: which field gets which odd value.

The parser is not Python's, and coverage does not lead through it: hence the second way.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from signaling.control_messages import (
    MAX_TEXT_BYTES,
    AnyControlMessage,
    Bye,
    CropMoved,
    Hello,
    Idle,
    Refuse,
    SourceBegin,
    SourceHave,
    SourceReady,
    SourceWant,
    Start,
    parse_control_message,
)
from signaling.errors import ControlError

LONGEST_WORDS: Final = 1000  # characters: what came is quoted in part
LEFT_OUT: Final = object()
_TYPES: Final = ("hello", "refuse", "source_begin", "start", "idle", "crop_moved", "bye", "none\nsuch")
_NUMBERS: Final = (0, 1, -1, 65, 65535, 65536, 1 << 32, 1 << 53, 1 << 64, 10**4000, 0.5, -0.0, 1e-320, 1e308)
_NO_NUMBERS: Final[tuple[Any, ...]] = (
    float("nan"),
    float("inf"),
    float("-inf"),
    True,
    None,
    [],
    {},
    [[[[]]]],
    LEFT_OUT,
)
_LONG_TEXTS: Final = ("a" * 500, "a" * 501, "\U0001f600" * 129, "0" * 64, "\u0660" * 64, "x" * 9000)
ODD_VALUES: Final = (*_TYPES, *_NUMBERS, *_NO_NUMBERS, *_LONG_TEXTS, "", "1", "\n", "\0", "\ud800")


def target(data: bytes) -> None:
    """Parse one text."""
    text = plain(data[1:]) if data[:1] and data[0] & 1 else composed(data[1:])
    try:
        message = parse_control_message(text)
    except ControlError as error:
        check_words(error)
        return
    assert len(text) <= MAX_TEXT_BYTES
    assert parse_control_message(message.model_dump_json()) == message


def plain(data: bytes) -> str:
    """Any text."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")


def composed(data: Sequence[int]) -> str:
    """A message with some fields replaced, left out or put in."""
    kind, *changes = data or [0]
    fields: dict[str, Any] = json.loads(seed_texts()[kind % len(seed_texts())])
    names = [*fields, "more", ""]
    for name, value in zip(changes[::2], changes[1::2], strict=False):
        fields[names[name % len(names)]] = ODD_VALUES[value % len(ODD_VALUES)]
    return json.dumps({name: value for name, value in fields.items() if value is not LEFT_OUT}, ensure_ascii=False)


def check_words(error: Exception) -> None:
    """One line of bounded length, whatever came."""
    words = str(error)
    assert "\n" not in words
    assert 0 < len(words) <= LONGEST_WORDS, words


def messages() -> list[AnyControlMessage]:
    """One of each kind."""
    digest = "0123456789abcdef" * 4
    return [
        Hello(role="sender", codec_format=2, model_id="4f2a90c1d7e8", tables_sha256=digest, picture_px=512),
        Refuse(reason="expected the same model on both sides"),
        SourceBegin(sha256=digest, bytes=20_000, mime="image/webp", chunks=2),
        SourceWant(sha256=digest),
        SourceHave(sha256=digest),
        SourceReady(sha256=digest),
        Start(first_sequence=7, frame_rate=29.97),
        Idle(reason="no face"),
        CropMoved(capture_time_s=1.25, left=-0.5, top=0.25, side=1.5),
        Bye(frames=100, messages=50, reason="done"),
    ]


@cache
def seed_texts() -> list[str]:
    """The same as texts."""
    return [message.model_dump_json() for message in messages()]


def seeds() -> list[bytes]:
    """Inputs to begin with."""
    return [b"\1" + text.encode() for text in seed_texts()] + [bytes((0, kind)) for kind in range(len(seed_texts()))]
