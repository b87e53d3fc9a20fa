"""messages.py: what parses and what does not."""

import json

import pytest

from signaling.errors import MessageError, RefusalCode
from signaling.messages import (
    Description,
    Join,
    Joined,
    PeerJoined,
    PeerLeft,
    Refused,
    ServerMessage,
    parse_peer_message,
    parse_server_message,
)

CALL = "0123456789abcdef"


@pytest.mark.parametrize(
    "message",
    [
        Joined(room="r", role="sender", peer_present=True, seat="0" * 32),
        PeerJoined(role="receiver"),
        PeerLeft(role="sender"),
        Description(kind="offer", call=CALL, sdp="v=0"),
        Refused(code=RefusalCode.ROOM_FULL, reason="full"),
    ],
)
def test_parse_server_message_round_trip(message: ServerMessage) -> None:
    assert parse_server_message(message.model_dump_json()) == message


def test_parse_peer_message_tells_kinds_apart() -> None:
    assert parse_peer_message('{"type": "join", "role": "sender"}') == Join(role="sender")
    offer = {"type": "description", "kind": "offer", "call": CALL, "sdp": "v=0"}
    assert parse_peer_message(json.dumps(offer)) == Description(kind="offer", call=CALL, sdp="v=0")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Invalid JSON"),
        ("[]", "should be an object"),
        ('{"type": "dance"}', "dance"),
        ('{"type": "join"}', "join.role"),
        ('{"type": "join", "role": "king"}', "join.role"),
        ('{"type": "join", "role": "sender", "seat": 1}', "join.seat"),
        ('{"type": "join", "role": "sender", "version": 4}', "join.version"),
        ('{"type": "join", "role": "sender", "token": "' + "x" * 1025 + '"}', "join.token"),
        ('{"type": "report", "call_s": -1}', "report.call_s"),
        ('{"type": "description", "kind": "offer", "sdp": "v=0"}', "description.call"),
        ('{"type": "joined", "room": "r", "role": "sender", "peer_present": true}', "joined"),
    ],
)
def test_parse_peer_message_says_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(MessageError, match="expected a signaling message") as error:
        parse_peer_message(text)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_description_keeps_its_sdp_out_of_its_repr() -> None:
    assert "secret" not in repr(Description(kind="offer", call=CALL, sdp="a=ice-pwd:secret"))
