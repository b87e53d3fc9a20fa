import math
from pathlib import Path

import numpy as np
import pytest

from models.runtime.ranges import FILE, Range, Ranges, load_ranges, save_ranges
from models.weights import Model, WeightsError, build_model, load_model, save_model


def saved(folder: Path, seed: int = 0) -> Model:
    model = build_model("tiny", seed)
    save_model(model.networks, model.codec_tables, folder, {"source": "random", "licence": "Apache-2.0"})
    return load_model(folder)


def some(lpips: float = 0.001, loss_db: float = 0.01) -> Ranges:
    low, high = np.array([-1.0, -0.5, 0.2], np.float32), np.array([2.0, -0.1, 0.7], np.float32)
    return Ranges({"generator.mix": Range(low, high)}, lpips, loss_db)


def test_they_come_back_for_the_weights_they_are_of(tmp_path: Path) -> None:
    model = saved(tmp_path)
    assert load_ranges(model) is None
    assert save_ranges(model, some()) == tmp_path / FILE
    back = load_ranges(model)
    assert back is not None
    assert back.digest == some().digest != some(lpips=0.002).digest
    assert back.of_modules.keys() == {"generator.mix"}
    other = saved(tmp_path / "other", seed=1)
    (tmp_path / "other" / FILE).write_bytes((tmp_path / FILE).read_bytes())
    assert load_ranges(other) is None


def test_range_of_some_channels_holds_zero() -> None:
    seen = some().of_modules["generator.mix"]
    assert seen.of(slice(None)) == pytest.approx((-1.0, 2.0))
    assert seen.of(slice(2, 3)) == pytest.approx((0.0, 0.7))
    assert seen.of(slice(1, 2)) == pytest.approx((-0.5, 1e-6))


@pytest.mark.parametrize(
    ("lpips", "loss_db", "expected"),
    [(0.005, 0.05, True), (0.006, 0.0, False), (0.0, 0.06, False), (math.nan, 0.0, False), (0.0, math.nan, False)],
)
def test_what_can_be_seen_or_was_not_measured_is_not_taken(lpips: float, loss_db: float, expected: bool) -> None:
    assert some(lpips, loss_db).invisible is expected


def test_damaged_file_and_model_without_folder(tmp_path: Path) -> None:
    model = saved(tmp_path)
    (tmp_path / FILE).write_bytes(b"something else")
    with pytest.raises(WeightsError, match="expected ranges as `facewire fit-int8` writes them"):
        load_ranges(model)
    assert load_ranges(build_model("tiny")) is None
    with pytest.raises(WeightsError, match="loaded from a folder"):
        save_ranges(build_model("tiny"), some())
