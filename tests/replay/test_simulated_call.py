"""simulated_call.py: what a lossy link does to a real encoder's and decoder's frames."""

from pathlib import Path

import numpy as np
import pytest

from codec.codec_tables import CodecTables
from codec.motion import Motion
from replay.link import Link, LinkPiece, LinkTrace
from replay.simulated_call import Shown, SimulatedCall, judge, lengthened, on_the_wire, share_on_time

TABLES = CodecTables.default(20)
SPEAKER = Path(__file__).parents[2] / "replay/assets/motion.npz"
INFINITE = float("inf")


def speaker(frames: int) -> list[Motion]:
    """The demo's speaker at 25 frames a second."""
    with np.load(SPEAKER) as stored:
        motions = [Motion.from_vector(stored["motion"][index], index / 25) for index in range(100)]
    return lengthened(motions, frames)


def play(
    piece: LinkPiece, repeat: int | None = None, frames: int = 400, riding: bool = False, seed: int = 0
) -> SimulatedCall:
    """Run a call; acknowledgements meet the same loss, but no bursts, of which one would silence them for seconds."""
    back = LinkPiece(delay_ms=piece.delay_ms, loss=piece.loss)
    links = Link(LinkTrace((piece,)), seed), Link(LinkTrace((back,)), seed + 1000)
    return SimulatedCall(TABLES, speaker(frames), *links, repeat=repeat, riding=riding).run()


def rounded(shown: Shown) -> tuple[float, float, float]:
    """Decoded, on time, seconds of the longest freeze."""
    return shown.decoded, shown.on_time, round(shown.freeze_s, 6)


def test_lengthened_goes_forth_and_back_in_time() -> None:
    motions = speaker(220)
    assert [round(motion.capture_time_s * 25) for motion in motions] == list(range(220))
    numbers = [motion.as_vector() for motion in motions]
    assert np.array_equal(numbers[98], numbers[100])
    assert np.array_equal(numbers[0], numbers[198])


def test_judge_counts_what_is_there_in_time() -> None:
    capture_s = np.arange(10) * 0.04
    came_s = capture_s + 0.1
    assert rounded(judge(came_s, capture_s, 0.1)) == (1.0, 1.0, 0.04)
    came_s[4] = INFINITE  # bridged, for the next one is there by then
    assert rounded(judge(came_s, capture_s, 0.14)) == (0.9, 1.0, 0.04)
    came_s[5] = INFINITE  # two in a row are not
    assert rounded(judge(came_s, capture_s, 0.14)) == (0.8, 0.8, 0.12)


def test_judge_a_frame_that_comes_too_late_bridges_nothing() -> None:
    capture_s = np.arange(10) * 0.04
    came_s = capture_s + 0.1
    came_s[4] = INFINITE
    assert rounded(judge(came_s, capture_s, 0.1)) == (0.9, 0.9, 0.08)


def test_run_without_loss_shows_all_and_repeats_nothing_for_long() -> None:
    call = play(LinkPiece(delay_ms=50))
    assert call.shown(0.13).on_time == 1.0
    assert call.lacking == 0
    assert call.repeats[-1] == 0
    # messages leave each 60 ms, the first frame waits for the first of them
    late_ms = 1000 * (call.came_s - np.arange(400) / 25)
    assert late_ms[0] == late_ms[:399].max() == pytest.approx(50 + 60)


def test_run_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    calls = [play(LinkPiece(delay_ms=50, loss=0.2), frames=150, seed=seed) for seed in (1, 1, 2)]
    assert np.array_equal(calls[0].came_s, calls[1].came_s)
    assert not np.array_equal(calls[0].came_s, calls[2].came_s)
    assert calls[0].wire_bytes == calls[1].wire_bytes


@pytest.mark.parametrize("riding", [False, True])
def test_run_a_fifth_lost_is_hardly_seen(riding: bool) -> None:
    call = play(LinkPiece(delay_ms=50, loss=0.2), riding=riding)
    shown = call.shown(0.3)
    assert shown.on_time >= 0.99
    assert shown.freeze_s <= 0.3
    without = play(LinkPiece(delay_ms=50, loss=0.2), repeat=0, riding=riding).shown(0.3)
    assert without.on_time < 0.85


def test_run_a_burst_of_five_is_over_one_round_trip_and_a_message_after_it_shows() -> None:
    call = play(LinkPiece(delay_ms=50, burst=0.02), repeat=0)
    assert len(call.recoveries_s) >= 3
    assert max(call.recoveries_s) <= 0.1 + 0.06 + 1e-6


def test_share_on_time_adds_up_and_names_the_worst() -> None:
    calls = [play(LinkPiece(delay_ms=50, loss=loss), 1, frames=150) for loss in (0.0, 0.3)]
    figures = share_on_time(calls, 0.3)
    shown = [call.shown(0.3) for call in calls]
    assert figures["on_time"] == pytest.approx((shown[0].on_time + shown[1].on_time) / 2)
    assert figures["on_time_worst"] == shown[1].on_time
    assert figures["wire_bytes"] == sum(call.wire_bytes for call in calls)


def test_on_the_wire_pads_to_four_and_adds_the_headers() -> None:
    assert [on_the_wire(bytes(length)) for length in (4, 5, 8)] == [97, 101, 101]
