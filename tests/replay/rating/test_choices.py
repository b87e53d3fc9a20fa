from dataclasses import replace
from pathlib import Path

import pytest

from replay.errors import RatingError
from replay.rating.choices import Choice, append_choice, preferences, read_choices, wilson

ONE = Choice("2026-01-01T00:00:00+00:00", "anna, b", "pair0", 'a "clip"', "ours", "x264", "left", "ours", 3.5)


def test_written_choices_are_read_again(tmp_path: Path) -> None:
    path = tmp_path / "choices.csv"
    other = replace(ONE, pair="pair1", choice="same", preferred="")
    append_choice(path, ONE)
    append_choice(path, other)
    assert read_choices(path) == [ONE, other]
    assert len(path.read_text().splitlines()) == 3


def test_no_file_is_no_choice(tmp_path: Path) -> None:
    assert read_choices(tmp_path / "none.csv") == []


@pytest.mark.parametrize("text", ["a,b\n1,2\n", None, "missing"])
def test_a_csv_of_another_kind_is_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "choices.csv"
    append_choice(path, ONE)
    if text is None:
        path.write_text(path.read_text().replace(",left,", ",up,"))
    elif text == "missing":
        path.write_text(path.read_text().rsplit(",", 1)[0] + "\n")
    else:
        path.write_text(text)
    with pytest.raises(RatingError, match="expected"):
        read_choices(path)


def test_wilson_against_values_worked_by_hand() -> None:
    assert wilson(0.5, 10) == pytest.approx((0.23659, 0.76341), abs=1e-5)
    assert wilson(1.0, 10) == pytest.approx((0.72247, 1.0), abs=1e-5)
    assert wilson(0.0, 1) == pytest.approx((0.0, 0.79345), abs=1e-5)
    with pytest.raises(ValueError, match="at least one"):
        wilson(0.5, 0)


def test_preference_counts_ties_half_and_the_last_answer_of_a_rater() -> None:
    choices = [replace(ONE, rater=str(number), pair="p") for number in range(6)]  # ours, 6 times
    choices += [replace(ONE, rater="7", pair="p", left="x264", right="ours", choice="left", preferred="x264")]
    choices += [replace(ONE, rater="8", pair="p", choice="same", preferred="")]
    choices += [replace(ONE, rater="8", pair="q", choice="same", preferred="")]
    choices += [replace(ONE, rater="0", pair="p", choice="right", preferred="x264")]  # changed their mind
    (found,) = preferences(choices)
    assert (found.method, found.against) == ("ours", "x264")
    assert (found.choices, found.preferred, found.same, found.raters) == (9, 5, 2, 8)
    assert found.score == pytest.approx(6 / 9)
    assert (found.low, found.high) == wilson(6 / 9, 9)


def test_each_two_methods_are_counted_apart() -> None:
    other = replace(ONE, pair="p2", left="h265", choice="right", right="ours", preferred="ours")
    assert [(p.method, p.against, p.choices) for p in preferences([ONE, other])] == [
        ("ours", "h265", 1),
        ("ours", "x264", 1),
    ]
