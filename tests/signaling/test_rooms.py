"""rooms.py: who may sit where."""

import pytest

from signaling.errors import Refusal, RefusalCode
from signaling.rooms import Rooms


def test_join_two_seats_know_each_other() -> None:
    rooms = Rooms(max_rooms=1)
    sender = rooms.join("r", "sender")
    assert rooms.other(sender) is None
    receiver = rooms.join("r", "receiver")
    assert rooms.other(sender) is receiver
    assert rooms.other(receiver) is sender
    assert (rooms.rooms_open, rooms.seats_taken) == (1, 2)


def test_join_third_peer_is_refused_room_full() -> None:
    rooms = Rooms(max_rooms=1)
    rooms.join("r", "sender")
    rooms.join("r", "receiver")
    with pytest.raises(Refusal, match="room 'r' is full: it has 2 seats and a third peer came") as refusal:
        rooms.join("r", "sender")
    assert refusal.value.code is RefusalCode.ROOM_FULL


def test_join_same_role_twice_is_refused_role_taken() -> None:
    rooms = Rooms(max_rooms=1)
    rooms.join("r", "sender")
    with pytest.raises(Refusal, match="has a sender already: expected a receiver") as refusal:
        rooms.join("r", "sender")
    assert refusal.value.code is RefusalCode.ROLE_TAKEN


def test_join_one_room_too_many_is_refused_until_one_closes() -> None:
    rooms = Rooms(max_rooms=2)
    first = rooms.join("a", "sender")
    rooms.join("b", "sender")
    with pytest.raises(Refusal, match="fewer than 2 open rooms") as refusal:
        rooms.join("c", "sender")
    assert refusal.value.code is RefusalCode.TOO_MANY_ROOMS
    rooms.leave(first)
    rooms.join("c", "sender")


@pytest.mark.parametrize("name", ["", "a b", "a/b", "../x", "x" * 65, "ä", "a\n"])
def test_join_bad_room_name_is_refused(name: str) -> None:
    with pytest.raises(Refusal, match="expected a room name of 1 to 64 letters") as refusal:
        Rooms(max_rooms=1).join(name, "sender")
    assert refusal.value.code is RefusalCode.BAD_ROOM_NAME


def test_leave_frees_the_seat_and_closes_the_empty_room() -> None:
    rooms = Rooms(max_rooms=1)
    sender = rooms.join("r", "sender")
    rooms.leave(sender)
    assert rooms.rooms_open == 0
    rooms.join("r", "sender")


def test_leave_twice_does_not_take_the_seat_of_the_next_one() -> None:
    rooms = Rooms(max_rooms=1)
    first = rooms.join("r", "sender")
    rooms.leave(first)
    second = rooms.join("r", "sender")
    rooms.leave(first)
    receiver = rooms.join("r", "receiver")
    assert rooms.other(receiver) is second
