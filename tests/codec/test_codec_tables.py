"""Tables of a model: what is stored comes back, one hash for all of it, anything else refused in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from codec import ByteTables, CodecTables, PredictiveTables, TablesError
from tests.codec.synthetic import fitted_tables

Arrays = dict[str, NDArray[Any]]


def arrays() -> Arrays:
    return {name: array.copy() for name, array in fitted_tables(3).arrays().items()}


def test_what_is_stored_comes_back() -> None:
    loaded = CodecTables.from_arrays(arrays())
    assert loaded.sha256 == fitted_tables(3).sha256
    assert loaded.keypoints == 3
    assert all(array.flags.c_contiguous for array in fitted_tables(3).arrays().values())  # as files store them


@pytest.mark.parametrize("name", sorted(fitted_tables(3).arrays()))
def test_every_number_is_part_of_the_hash(name: str) -> None:
    changed = arrays()
    flat = changed[name].reshape(-1)
    if name in ("paper", "frequencies"):
        largest = int(np.argmax(flat))
        flat[largest] -= 1
        flat[largest ^ 1] += 1  # of the same row: rows have an even length
    elif name == "scaled":
        flat[0] = 1 - flat[0]
    else:
        flat[0] += 1
    assert CodecTables.from_arrays(changed).sha256 != fitted_tables(3).sha256


def broken(name: str, array: object) -> Arrays:
    changed = arrays()
    if array is None:
        del changed[name]
    else:
        changed[name] = np.array(array)
    return changed


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (broken("paper", None), "tables of the profile paper, found none"),
        (
            broken("basis", None),
            "expected tables scaled, steps, mean, basis, .*, got classes, frequencies, mean, scaled",
        ),
        (broken("more", [1]), "expected tables scaled"),
        (broken("mean", np.zeros(0, np.int64)), "1 to 255 keypoints, got 0"),
        (broken("steps", [1.5] * 7), "steps to be integers of shape"),
        (broken("steps", [1] * 6), r"shape \(7,\), got int64 \(6,\)"),
        (broken("steps", [0] * 7), "steps from 1 to"),
        (broken("scaled", [2]), "scaled from 0 to 1, got 2 to 2"),
        (broken("classes", np.full((6, 15), 24)), "classes from 0 to 23, got 24"),
        (broken("weights", np.zeros((6, 15), np.int64)), "weights from 1 to 65535, got 0"),
        (broken("mean", np.full(9, 40000)), "mean from -32768 to 32767, got 40000"),
        (broken("basis", np.zeros((9, 9), np.int64)), "a basis that spans all deformations"),
        (broken("frequencies", np.full((24, 8, 26), 2520)), "add up to 65536, got 65520"),
        (broken("frequencies", np.zeros((24, 8, 26), np.int64)), "frequencies from 1 to"),
    ],
)
def test_refused(changed: Arrays, words: str) -> None:
    with pytest.raises(TablesError, match=words):
        CodecTables.from_arrays(changed)


def test_profiles_for_other_numbers_of_keypoints() -> None:
    with pytest.raises(TablesError, match=r"got 4 \(paper\) and 3"):
        CodecTables(ByteTables(np.full((36, 256), 256)), fitted_tables(3).predictive)


def test_tables_that_know_no_model_fit_any() -> None:
    for keypoints in (1, 20, 255):
        tables = CodecTables.default(keypoints, scaled=keypoints > 1)
        assert tables.keypoints == keypoints
        assert tables.predictive.scaled == (keypoints > 1)
        assert isinstance(tables.predictive, PredictiveTables)
