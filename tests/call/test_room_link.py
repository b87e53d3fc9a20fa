"""room_link.py: links are read as they are printed."""

import pytest

from call.errors import LinkError
from call.room_link import RoomLink, new_room, own_address


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
    ],
)
def test_what_is_no_link_is_refused_in_words(text: str) -> None:
    with pytest.raises(LinkError, match="expected a link like ws://"):
        RoomLink.parse(text)


def test_own_address_is_an_address() -> None:
    assert own_address().count(".") == 3
