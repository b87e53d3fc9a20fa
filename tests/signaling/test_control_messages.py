"""control_messages.py: typed, bounded, and what makes two sides unfit for each other."""

import json
import re

import pytest

from signaling.control_messages import (
    MAX_SOURCE_BYTES,
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

HASH = "ab" * 32
SENDER = Hello(role="sender", codec_format=1, model_id="a" * 64, tables_sha256="b" * 64)
RECEIVER = SENDER.model_copy(update={"role": "receiver"})


@pytest.mark.parametrize(
    "message",
    [
        SENDER,
        Refuse(reason="no"),
        SourceBegin(sha256=HASH, bytes=MAX_SOURCE_BYTES, mime="image/webp", chunks=64),
        SourceWant(sha256=HASH),
        SourceHave(sha256=HASH),
        SourceReady(sha256=HASH),
        Start(frame_rate=29.97),
        Idle(reason="no face"),
        CropMoved(capture_time_s=12.34, left=-0.25, top=0.5, side=1.2),
        Bye(frames=3, messages=2, reason="the clip ended"),
    ],
)
def test_parse_round_trip(message: AnyControlMessage) -> None:
    assert parse_control_message(message.model_dump_json()) == message


@pytest.mark.parametrize(
    "change",
    [
        {"bytes": 0},
        {"bytes": MAX_SOURCE_BYTES + 1},
        {"bytes": 2_000_000_000},
        {"chunks": 0},
        {"chunks": 4097},
        {"chunk_bytes": 255},
        {"chunk_bytes": 16385},
        {"mime": "image/svg+xml"},
        {"sha256": "AB" * 32},
        {"sha256": "ab"},
        {"more": 1},
    ],
)
def test_parse_source_begin_out_of_its_limits(change: dict[str, object]) -> None:
    good = {"type": "source_begin", "sha256": HASH, "bytes": 10, "mime": "image/webp", "chunks": 1}
    parse_control_message(json.dumps(good))
    with pytest.raises(ControlError, match="expected a control message: source_begin"):
        parse_control_message(json.dumps({**good, **change}))


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"type": "chat"}', "{" * 4000, '"' + "x" * 9000 + '"'])
def test_parse_what_is_no_control_message(text: str) -> None:
    with pytest.raises(ControlError, match="expected a control message") as error:
        parse_control_message(text)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300


def test_hello_of_equals_fits() -> None:
    assert SENDER.mismatch(RECEIVER) is None
    assert RECEIVER.mismatch(SENDER) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"protocol": 4}, "expected the same protocol version on both sides, this sender has 3 and the receiver has 4"),
        ({"codec_format": 9}, "same codec format version.*has 1 and the receiver has 9"),
        ({"model_id": "c" * 64}, "same model.*has aaaaaaaaaaaa and the receiver has cccccccccccc.*same weights"),
        ({"tables_sha256": "d" * 64}, "same codec tables.*bbbbbbbbbbbb.*dddddddddddd"),
        ({"role": "sender"}, "expected a receiver on the other side, it is a sender as well"),
    ],
)
def test_hello_of_others_is_refused_in_words_on_both_sides(change: dict[str, object], words: str) -> None:
    other = RECEIVER.model_copy(update=change)
    assert re.search(words, SENDER.mismatch(other) or "fits")
    assert other.mismatch(SENDER) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"side": 0},
        {"side": 1e9},
        {"left": 257},
        {"top": -1e300},
        {"capture_time_s": -1},
        {"side": "NaN"},
        {"left": None},
    ],
)
def test_parse_crop_moved_refuses_places_that_no_crop_has(change: dict[str, object]) -> None:
    good = CropMoved(capture_time_s=1, left=0, top=0, side=1).model_dump()
    with pytest.raises(ControlError):
        parse_control_message(json.dumps(good | change))


def test_parse_crop_moved_not_a_number() -> None:
    text = '{"type":"crop_moved","capture_time_s":1,"left":NaN,"top":0,"side":1}'
    with pytest.raises(ControlError):
        parse_control_message(text)


@pytest.mark.parametrize("name", ["two\nlines", "\x1b[2Jcleared", "x" * 8000])
def test_words_of_a_refusal_are_one_short_line_whatever_came(name: str) -> None:
    for text in (json.dumps({"type": name}), json.dumps({"type": "idle", "reason": "", name: 1})):
        with pytest.raises(ControlError) as error:
            parse_control_message(text)
        assert str(error.value).isprintable()
        assert len(str(error.value)) < 400
