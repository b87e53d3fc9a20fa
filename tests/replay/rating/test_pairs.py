import json
from pathlib import Path

import pytest

from replay.errors import RatingError
from replay.rating.pairs import PAIRS_FILE, Pair, PairSet, Version, order_for, read_pairs


def _many(count: int) -> PairSet:
    a, b = Version(name="ours", video="a.mp4"), Version(name="x264", video="b.mp4")
    return PairSet(pairs=tuple(Pair(id=str(number), clip="clip", a=a, b=b) for number in range(count)))


def test_written_pairs_are_read_again(folder: Path) -> None:
    pairs = read_pairs(folder)
    assert [pair.id for pair in pairs.pairs] == ["pair0", "pair1", "pair2"]
    assert pairs.pairs[0].a == Version(name="ours", video="ours_0.mp4")


def test_a_rater_sees_the_same_order_again_and_another_rater_another() -> None:
    pairs = _many(40)
    anna = order_for("anna", pairs)
    assert order_for("anna", pairs) == anna
    assert order_for("bert", pairs) != anna
    assert sorted(shown.pair.id for shown in anna) == sorted(str(number) for number in range(40))


def test_sides_are_drawn_evenly() -> None:
    shown = order_for("anna", _many(2000))
    left = sum(each.left.name == "ours" for each in shown)
    assert 880 <= left <= 1120  # 5 sigma of a fair coin
    assert all({each.left.name, each.right.name} == {"ours", "x264"} for each in shown)


def test_what_was_rated_is_not_shown_again() -> None:
    assert [each.pair.id for each in order_for("anna", _many(3), rated={"0", "2"})] == ["1"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda told: told["pairs"][0]["a"].update(video="../secret.mp4"), "expected the video"),
        (lambda told: told["pairs"][0]["a"].update(video="missing.mp4"), "expected the video"),
        (lambda told: told["pairs"][1].update(id="pair0"), "an id of its own"),
        (lambda told: told.update(pairs=[]), "expected pairs of videos"),
        (lambda told: told.update(format=2), "expected pairs of videos"),
    ],
)
def test_pairs_that_cannot_be_rated_are_refused(folder: Path, change, words: str) -> None:  # type: ignore[no-untyped-def]
    path = folder / PAIRS_FILE
    told = json.loads(path.read_text())
    change(told)
    path.write_text(json.dumps(told))
    with pytest.raises(RatingError, match=words):
        read_pairs(folder)


def test_a_folder_without_pairs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RatingError, match="found no such file"):
        read_pairs(tmp_path)
