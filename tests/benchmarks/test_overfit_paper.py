"""The benchmark itself: its figures are of the right things, and a model that learned nothing is not let through."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from benchmarks import overfit_paper
from benchmarks.overfit_paper import Result
from models.paper.config import PAPER
from models.weights import build_model
from tests.models.training.prepared import write_prepared

GOOD = Result("id", 9, 10, 64, 1000, 0.2, 0.1, 20.0, 19.5, 18.0, 1.0)


def test_json_of_a_short_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_prepared(tmp_path, clips=1, stills=0)
    words = [str(tmp_path), "--steps", "1", "--frames", "3", "--batch", "2", "--narrow", "64", "--keypoints", "2"]
    overfit_paper.main([*words, "--json", "--fall", "0", "--gain", "-100", "--own", "-100"])
    result = json.loads(capsys.readouterr().out)
    assert (result["clip"], result["frames"], result["steps"], result["size_px"]) == ("id000_0", 3, 1, 64)
    assert result["pixels_first"] > 0.0
    assert result["repeat_source_db"] > 5.0
    with pytest.raises(SystemExit, match="--clip: expected one of"):
        overfit_paper.main([*words, "--clip", "nobody"])


def test_what_is_not_learned_is_an_error() -> None:
    overfit_paper.check(GOOD, fall=2.0, gain=0.5, own=0.0)
    with pytest.raises(SystemExit, match=r"expected to fall by a factor of 2.0, went from 0.2000 to 0.1100"):
        overfit_paper.check(replace(GOOD, pixels_last=0.11), 2.0, 0.5, 0.0)
    with pytest.raises(SystemExit, match=r"expected 0.5 dB over repeating the source \(19.50 dB\), got 19.90 dB"):
        overfit_paper.check(replace(GOOD, psnr_db=19.9), 2.0, 0.5, 0.0)
    with pytest.raises(SystemExit, match="PSNR"):
        overfit_paper.check(replace(GOOD, psnr_db=float("nan")), 2.0, 0.5, 0.0)
    with pytest.raises(
        SystemExit, match=r"expected over 0.0 dB more .* than under another's \(20.00 dB\), got 20.00 dB"
    ):
        overfit_paper.check(replace(GOOD, other_motion_db=20.0), 2.0, 0.5, 0.0)


def test_repeating_the_source_of_a_known_difference() -> None:
    """A second frame that is 0.1 brighter everywhere: 20 dB."""
    frames = torch.full((2, 3, 64, 64), 0.4)
    frames[1] += 0.1
    assert overfit_paper.render_clip(build_model("paper-tiny"), frames)[1] == pytest.approx(20.0, abs=1e-3)


def test_narrow_networks_are_the_papers_at_a_fraction_of_their_width() -> None:
    config = overfit_paper.narrowed(64, 8, 10)
    assert config.widths == tuple(max(8, width // 8) for width in PAPER.widths)
    assert (config.blocks, config.jacobians, config.dimensions) == (PAPER.blocks, PAPER.jacobians, PAPER.dimensions)
