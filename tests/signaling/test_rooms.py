"""rooms.py: who may sit where."""

import pytest

from signaling.errors import Refusal, RefusalCode
from signaling.messages import Wish
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


def test_join_two_peers_of_a_call_become_callee_and_caller() -> None:
    rooms = Rooms(max_rooms=1)
    first, second = rooms.join("r", "call"), rooms.join("r", "call")
    assert (first.role, second.role) == ("callee", "caller")
    assert rooms.other(first) is second
    with pytest.raises(Refusal, match="room 'r' is full"):
        rooms.join("r", "call")
    rooms.leave(first)
    assert rooms.join("r", "call").role == "callee"


@pytest.mark.parametrize(("first", "second"), [("sender", "call"), ("call", "receiver")])
def test_join_calls_do_not_mix_with_one_way_peers(first: Wish, second: Wish) -> None:
    rooms = Rooms(max_rooms=1)
    rooms.join("r", first)
    with pytest.raises(Refusal, match="expected a (receiver|caller) to join"):
        rooms.join("r", second)


def test_leave_keeps_the_seat_of_a_call_for_its_secret_and_for_a_while() -> None:
    rooms = Rooms(max_rooms=1)
    first, second = rooms.join("r", "call"), rooms.join("r", "call")
    rooms.leave(first, keep_until_s=30.0)
    rooms.leave(second)
    assert rooms.rooms_open == 1  # the room itself is kept with it
    rooms.join("r", "call")
    with pytest.raises(Refusal, match="full"):
        rooms.join("r", "call", now_s=10.0)
    back = rooms.join("r", "call", first.secret, now_s=29.0)
    assert (back.role, back.secret) == ("callee", first.secret)
    rooms.leave(back, keep_until_s=30.0)
    assert rooms.join("r", "call", now_s=30.0).role == "callee"


def test_join_with_the_secret_of_a_taken_seat_replaces_its_peer() -> None:
    rooms = Rooms(max_rooms=1)
    first = rooms.join("r", "call")
    again = rooms.join("r", "call", first.secret)
    assert not rooms.taken(first)
    assert rooms.taken(again)
    rooms.leave(first)
    assert rooms.taken(again)


def test_leave_never_keeps_the_seat_of_a_one_way_peer() -> None:
    rooms = Rooms(max_rooms=1)
    rooms.leave(rooms.join("r", "sender"), keep_until_s=30.0)
    assert rooms.rooms_open == 0


def test_join_one_token_gets_one_seat_whatever_role_it_asks_for() -> None:
    rooms = Rooms(max_rooms=1)
    rooms.join("r", "sender", holder="1")
    wishes: tuple[Wish, Wish] = ("sender", "receiver")
    for wish in wishes:
        with pytest.raises(Refusal, match="somebody sits here already") as refusal:
            rooms.join("r", wish, holder="1")
        assert refusal.value.code is RefusalCode.SEAT_TAKEN
    assert rooms.join("r", "receiver", holder="2").role == "receiver"


def test_join_a_kept_seat_is_its_tokens_without_the_secret() -> None:
    rooms = Rooms(max_rooms=1)
    first, second = rooms.join("r", "call", holder="1"), rooms.join("r", "call", holder="2")
    rooms.leave(first, keep_until_s=30.0)
    with pytest.raises(Refusal, match="somebody sits here already"):
        rooms.join("r", "call", holder="2", now_s=10.0)
    back = rooms.join("r", "call", holder="1", now_s=10.0)
    assert (back.role, back.secret == first.secret) == ("callee", False)
    assert rooms.other(back) is second


def test_join_the_secret_of_a_seat_with_the_other_token_is_no_claim() -> None:
    rooms = Rooms(max_rooms=1)
    first = rooms.join("r", "call", holder="1")
    assert rooms.join("r", "call", first.secret, holder="2").role == "caller"
    assert rooms.taken(first)


def test_forget_frees_in_the_order_of_time_and_only_what_is_still_kept() -> None:
    rooms = Rooms(max_rooms=9)
    late, early, back = (rooms.join(name, "call") for name in ("late", "early", "back"))
    rooms.leave(late, keep_until_s=20.0)
    rooms.leave(early, keep_until_s=10.0)
    rooms.leave(back, keep_until_s=5.0)
    again = rooms.join("back", "call", back.secret)
    rooms.forget(15.0)
    assert (rooms.rooms_open, rooms.seats_taken) == (2, 1)
    assert rooms.taken(again)
    assert rooms.join("late", "call", late.secret, now_s=19.0).secret == late.secret
