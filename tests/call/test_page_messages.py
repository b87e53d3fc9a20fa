"""page_messages.py: any bytes and any text become a message or a PageError."""

import json
import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from call.errors import PageError
from call.page_binary import ToEngine, ToPage, pack, unpack
from call.page_messages import ChatMessage, PageStart, parse


@given(st.binary(max_size=40))
def test_unpack_any_bytes(message: bytes) -> None:
    try:
        found = unpack(message)
    except PageError:
        return
    assert struct.pack(">Bd", found.kind, found.time_ms) + found.content == message


@given(st.text(max_size=60) | st.from_regex(r'\{"type": "(view|mute|chat|start)".*\}', fullmatch=True))
def test_parse_any_text(text: str) -> None:
    with suppress(PageError):
        parse(text)


def test_camera_and_start_are_read_and_sound_is_written() -> None:
    assert unpack(struct.pack(">Bd", 1, 12.5) + b"jpeg") == (ToEngine.CAMERA, 12.5, b"jpeg")
    start = parse('{"type": "start", "consent": true, "room_link": "ws://a/rooms/b"}')
    assert start == PageStart(consent=True, room_link="ws://a/rooms/b")
    assert pack(ToPage.OPUS, 60.0, b"o", 65535) == struct.pack(">BdH", 0x12, 60.0, 65535) + b"o"
    assert pack(ToPage.PICTURE, 60.0, b"j") == struct.pack(">Bd", 0x11, 60.0) + b"j"


def test_chat_names_its_speaker_as_the_page_expects_it() -> None:
    said = json.loads(ChatMessage(text="hello", from_="them").model_dump_json(by_alias=True))
    assert said == {"type": "chat", "text": "hello", "from": "them"}


@pytest.mark.parametrize("time", [float("nan"), float("inf"), 1e13])
def test_unpack_times_that_are_none(time: float) -> None:
    with pytest.raises(PageError, match="expected a capture time"):
        unpack(struct.pack(">Bd", 1, time) + b"x")
