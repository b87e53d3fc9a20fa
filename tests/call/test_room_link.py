"""room_link.py: links are read as they are printed."""

import pytest

from call.room_link import RoomLink, new_room, own_address
from signaling.errors import LinkError


@pytest.mark.parametrize("server", ["ws://127.0.0.1:8765", "wss://calls.example", "ws://[::1]:80"])
def test_link_is_read_as_it_is_printed(server: str) -> None:
    link = RoomLink(server, new_room())
    assert RoomLink.parse(str(link)) == link


@pytest.mark.parametrize(
    "text",
    [
        "",
        "kitchen",
        "http://a/rooms/b",
        "ws:///rooms/b",
        "ws://a/b",
        "ws://a/rooms/",
        "ws://a/rooms/a%2Fb",
        "ws://a:x/rooms/b",
        "ws://[a/rooms/b",
        "ws://a/rooms/b?token=c",
        "ws://a/rooms/b#" + "c" * 1025,
    ],
)
def test_what_is_no_link_is_refused_in_words(text: str) -> None:
    with pytest.raises(LinkError, match="expected a link like ws://"):
        RoomLink.parse(text)


def test_token_is_read_and_never_repeated() -> None:
    link = RoomLink.parse("wss://calls.example/rooms/kitchen#a.b-c_d.e")
    assert link == RoomLink("wss://calls.example", "kitchen", "a.b-c_d.e")
    assert "a.b-c_d.e" not in f"{link} {link!r} {link.to_share}"
    with pytest.raises(LinkError) as error:
        RoomLink.parse("https://calls.example/rooms/kitchen#a.b-c_d.e")
    assert "a.b-c_d.e" not in str(error.value)


def test_room_is_a_name_or_a_link() -> None:
    assert RoomLink.of("kitchen", "ws://a") == RoomLink("ws://a", "kitchen")
    assert RoomLink.of("ws://b/rooms/kitchen#t", "ws://a") == RoomLink("ws://b", "kitchen", "t")


def test_own_address_is_an_address() -> None:
    assert own_address().count(".") == 3
