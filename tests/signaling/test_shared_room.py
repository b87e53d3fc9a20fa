"""shared_room.py: what the servers that share rooms know of one room."""

import pytest
from pydantic import ValidationError

from signaling.messages import Description, PeerJoined, PeerLeft
from signaling.shared_room import (
    Change,
    Held,
    Notice,
    Place,
    Seats,
    read_seats,
    settle,
    sit,
    stand_up,
    taken,
    write_seats,
)

HERE, THERE, ELSEWHERE = (Place(server=name, socket="1") for name in ("here", "there", "elsewhere"))
CALLEE, CALLER = Held(place=HERE, secret="a" * 32), Held(place=THERE, secret="b" * 32)
CALL: Seats = {"callee": CALLEE, "caller": CALLER}
ONE_WAY: Seats = {"sender": CALLEE, "receiver": CALLER}


def kept(held: Held, until_ms: int) -> Held:
    return held.model_copy(update={"kept_until_ms": until_ms})


def test_write_equal_seats_are_equal_texts_and_read_back() -> None:
    turned: Seats = {"caller": CALLER, "callee": CALLEE}
    assert write_seats(CALL) == write_seats(turned)
    assert read_seats(write_seats(CALL)) == CALL
    assert (write_seats({}), read_seats("")) == ("", {})


@pytest.mark.parametrize("text", ["1", '{"king": {}}', '{"callee": {"place": "a"}}', "{", '{"callee": null}'])
def test_read_seats_anything_else_is_an_error(text: str) -> None:
    with pytest.raises(ValidationError):
        read_seats(text)


def test_secrets_and_sdp_are_in_no_repr() -> None:
    offer = Notice(to=HERE, message=Description(kind="offer", call="0" * 16, sdp="v=0 secret"))
    assert "aaaa" not in repr(CALL) + repr(CALLEE.claim)
    assert "v=0" not in repr(offer)


def test_sit_tells_the_other_seat_and_puts_out_who_sat_there() -> None:
    first = sit({}, "callee", CALLEE)
    assert (first.notices, first.opens_a_room) == ((), True)
    second = sit(first.seats, "caller", CALLER)
    assert second.notices == (Notice(to=HERE, message=PeerJoined(role="caller"), about=THERE),)
    assert not second.opens_a_room
    again = sit(CALL, "caller", Held(place=ELSEWHERE, secret=CALLER.secret))
    assert Notice(to=THERE, message=None) in again.notices
    assert taken(again.seats, "caller") == ELSEWHERE


def test_stand_up_frees_or_keeps_and_tells_the_other_seat() -> None:
    left = Notice(to=HERE, message=PeerLeft(role="caller"), about=THERE)
    assert stand_up(CALL, THERE, None) == Change({"callee": CALLEE}, (left,))
    assert stand_up(CALL, THERE, 9) == Change({"callee": CALLEE, "caller": kept(CALLER, 9)}, (left,))
    assert stand_up(ONE_WAY, THERE, 9).seats == {"sender": CALLEE}
    assert stand_up(CALL, ELSEWHERE, None) == Change(CALL)


def test_stand_up_from_a_seat_that_is_kept_tells_nobody_again() -> None:
    seats: Seats = {"callee": CALLEE, "caller": kept(CALLER, 9)}
    assert stand_up(seats, THERE, None) == Change({"callee": CALLEE})


def test_settle_a_dead_servers_seats_are_kept_for_calls_and_free_else() -> None:
    def lives(place: Place) -> bool:
        return place == HERE

    settled = settle(CALL, 100, lives, keep_ms=30)
    assert settled.seats == {"callee": CALLEE, "caller": kept(CALLER, 130)}
    assert settled.notices == (Notice(to=HERE, message=PeerLeft(role="caller"), about=THERE),)
    assert settle(ONE_WAY, 100, lives, keep_ms=30).seats == {"sender": CALLEE}
    assert settle(CALL, 100, lambda _: False, keep_ms=30).notices == ()


def test_settle_a_seat_is_kept_until_its_time() -> None:
    seats: Seats = {"callee": kept(CALLEE, 100)}
    assert settle(seats, 99, lambda _: False, 30).seats == seats
    assert settle(seats, 100, lambda _: True, 30).seats == {}
