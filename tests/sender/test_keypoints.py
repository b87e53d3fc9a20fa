"""How many keypoints are sent: error and hold by hand."""

import numpy as np
import pytest

from codec.motion import Motion
from codec.wire import Level, Profile
from models.config import COMPACT
from models.presets import PRESETS
from sender.errors import InputError
from sender.keypoints import KeypointChoice, dropped_px, fewest, read_choice

K = COMPACT.keypoints
PX = 2 / 256


def motion(moved_px: dict[int, float], time_s: float = 0.0, log_scale: float = 0.0) -> Motion:
    """A frame in which some keypoints are moved to the right by so many px of 256, before the head's scale."""
    delta = np.zeros((K, 3), np.float32)
    for keypoint, px in moved_px.items():
        delta[keypoint, 0] = px * PX
    return Motion(0, 0, 0, np.array((0, 0, log_scale), np.float32), delta, time_s)


def test_error_is_the_mean_over_all_keypoints_of_what_the_tail_moves() -> None:
    errors = dropped_px(motion({7: 10, 19: 4}), COMPACT)
    assert errors[:8] == pytest.approx(14 / K)
    assert errors[8:20] == pytest.approx(4 / K)
    assert errors[20] == 0


def test_error_counts_x_and_y_and_no_depth() -> None:
    delta = np.zeros((K, 3), np.float32)
    delta[19] = np.array((3, 4, 100)) * PX
    assert dropped_px(Motion(0, 0, 0, np.zeros(3, np.float32), delta, 0), COMPACT)[19] == pytest.approx(5 / K)


def test_a_larger_head_shows_more_of_it_where_t_z_is_scale() -> None:
    near = motion({19: 4}, log_scale=float(np.log(2)))
    assert dropped_px(near, COMPACT)[0] == pytest.approx(8 / K)
    assert dropped_px(near, PRESETS["paper"])[0] == pytest.approx(4 / K)


@pytest.mark.parametrize(("allowed_px", "number"), [(0.05, 20), (0.2, 13), (0.6, 13), (0.7, 5)])
def test_fewest_that_keep_the_error(allowed_px: float, number: int) -> None:
    errors = dropped_px(motion({12: 10, 19: 4}), COMPACT)  # 0.7 px up to keypoint 12, 0.2 px from there on
    assert fewest(errors, allowed_px) == number


def test_no_fewer_than_training_knows() -> None:
    assert fewest(dropped_px(motion({}), COMPACT), 1.0) == 5


def test_more_at_once_and_fewer_after_a_second() -> None:
    choice = KeypointChoice(COMPACT, allowed_px=0.1)
    chosen = [choice.choose([motion({9: 40} if index == 3 else {}, index / 10)]) for index in range(16)]
    assert chosen == [5] * 3 + [10] * 10 + [5] * 3


def test_a_message_carries_what_its_neediest_frame_needs() -> None:
    frames = [motion({9: 40}, 0.0), motion({}, 0.04)]
    assert KeypointChoice(COMPACT, allowed_px=0.1).choose(frames) == 10


@pytest.mark.parametrize(("text", "number"), [("all", None), ("20", 20), ("7", 7), ("adaptive", 5)])
def test_what_the_option_says(text: str, number: int | None) -> None:
    assert read_choice(text, Profile.PAPER, COMPACT, Level.HIGH).choose([motion({})]) == number


@pytest.mark.parametrize("text", ["0", "21", "-3", "few", "", "1.5", "٣٣"])
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="expected all, adaptive or 1 to 20"):
        read_choice(text, Profile.PAPER, COMPACT, Level.HIGH)


def test_adaptive_allows_what_the_level_does() -> None:
    frame = motion({12: 10})  # 0.5 px over all
    assert read_choice("adaptive", Profile.PAPER, COMPACT, Level.MEDIUM).choose([frame]) == 5
    assert read_choice("adaptive", Profile.PAPER, COMPACT, Level.HIGH).choose([frame]) == 13


@pytest.mark.parametrize("text", ["adaptive", "5"])
def test_predictive_sends_all(text: str) -> None:
    assert read_choice("all", Profile.PREDICTIVE, COMPACT, Level.HIGH).choose([motion({})]) is None
    with pytest.raises(InputError, match="expected all"):
        read_choice(text, Profile.PREDICTIVE, COMPACT, Level.HIGH)
