"""The benchmark itself: its numbers are of the right things, and a wrong output is not let through."""

import json

import pytest
import torch
from torch import Tensor

from benchmarks import extract_render
from models.renderer import Renderer
from models.weights import build_model


def test_json_has_both_stages(capsys: pytest.CaptureFixture[str]) -> None:
    extract_render.main(["--preset", "tiny", "--frames", "5", "--json"])
    result = json.loads(capsys.readouterr().out)
    assert set(result["stages"]) == {"extract", "render"}
    for timing in result["stages"].values():
        assert 0 < timing["p50_ms"] <= timing["p95_ms"]
        assert timing["cpu_ms"] > 0
        assert timing["largest_difference"] < 1e-4


def test_gmac_counts_a_known_convolution() -> None:
    """A 3x3 convolution from 8 to 16 channels at 32x32 is 8 * 16 * 9 * 1024 multiply-adds."""
    layer, x = torch.nn.Conv2d(8, 16, 3, padding=1), torch.zeros(1, 8, 32, 32)
    assert extract_render._count_gmac(lambda: layer(x)) == pytest.approx(8 * 16 * 9 * 1024 / 1e9)


@pytest.mark.parametrize("off_by", [0.1, float("nan")])
def test_wrong_output_is_an_error(off_by: float, monkeypatch: pytest.MonkeyPatch) -> None:
    model = build_model("tiny")
    plain = Renderer.render

    def wrong(self: Renderer, *arguments: object) -> Tensor:
        return plain(self, *arguments) + off_by  # type: ignore[arg-type]

    monkeypatch.setattr(Renderer, "render", wrong)
    with pytest.raises(SystemExit, match="plain networks"):
        extract_render.measure(model, 3)
