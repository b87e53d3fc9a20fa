"""liveness.py: when a peer is taken for gone."""

from signaling.liveness import SILENCE_LIMIT_AFTER_LEAVING_S, SILENCE_LIMIT_S, Liveness


def look(alive: Liveness, from_s: float, to_s: float) -> tuple[float, str] | None:
    """Look ten times a second; returns when and what the first verdict was."""
    for tenth in range(round(from_s * 10), round(to_s * 10) + 1):
        verdict = alive.verdict(tenth / 10)
        if verdict is not None:
            return tenth / 10, verdict
    return None


def test_verdict_three_silent_seconds_are_the_end() -> None:
    alive = Liveness(100.0)
    assert look(alive, 100.0, 101.0) is None
    alive.heard(101.0)
    assert look(alive, 101.0, 110.0) == (101.0 + SILENCE_LIMIT_S, "nothing was heard from it for 3 s")


def test_verdict_after_leaving_its_seat_one_silent_second_is_enough() -> None:
    alive = Liveness(5.0)
    alive.left_its_seat(5.5)
    assert look(alive, 5.5, 10.0) == (5.5 + SILENCE_LIMIT_AFTER_LEAVING_S, "it left the room")


def test_verdict_own_stall_is_not_the_peers_silence() -> None:
    alive = Liveness(0.0)
    assert look(alive, 0.0, 2.0) is None
    # held up for ten seconds: what the peer sent meanwhile is read only after this look
    assert alive.verdict(12.0) is None
    assert look(alive, 12.0, 20.0) == (13.0, "nothing was heard from it for 3 s")


def test_verdict_peer_that_lost_only_its_server_goes_on() -> None:
    alive = Liveness(0.0)
    alive.left_its_seat(1.0)
    for second in range(1, 60):
        alive.heard(float(second))
        assert look(alive, second, second + 0.9) is None


def test_verdict_closed_connection_needs_no_waiting() -> None:
    alive = Liveness(0.0)
    alive.closed()
    assert alive.verdict(0.0) == "its connection closed"


def test_heard_out_of_order_does_not_go_back() -> None:
    alive = Liveness(0.0)
    alive.heard(10.0)
    alive.heard(4.0)
    assert look(alive, 0.0, 20.0) == (13.0, "nothing was heard from it for 3 s")
