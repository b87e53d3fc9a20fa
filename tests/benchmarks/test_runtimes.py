"""The benchmark of the ways: every way has its row, and one with another picture ends it."""

import json

import pytest
import torch

from benchmarks import runtimes
from models.runtime.base import Way
from models.runtime.torch_eager import Eager, Folded
from models.weights import build_model
from tests.models.runtime.fakes import Clock, FakeWay


def test_json_has_every_path_and_way(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ways: list[Way] = [Eager(), Folded(), FakeWay("absent", Clock(), missing="not here")]
    monkeypatch.setattr(runtimes, "ways_for", lambda device, ranges: ways)
    threads = torch.get_num_threads()
    runtimes.main(["--preset", "tiny", "--rounds", "2", "--threads", "1", "--clock", "cpu", "--json"])
    assert torch.get_num_threads() == threads
    results = json.loads(capsys.readouterr().out)["results"]
    assert [(result["path"], result["threads"]) for result in results] == [("extract", 1), ("render", 1)]
    for result in results:
        plain, folded, absent = result["measured"]
        assert plain["p50_ms"] > 0
        assert folded["p95_ms"] >= folded["p50_ms"] > 0
        assert folded["largest_difference"] < 1e-4
        assert absent["problem"] == "not here"
        assert result["gmac"] > 0


def test_another_picture_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = FakeWay("wrong", Clock(), change=lambda result: result + 0.1)
    monkeypatch.setattr(runtimes, "ways_for", lambda device, ranges: [wrong])
    with pytest.raises(SystemExit, match="render: expected plain torch's output, wrong is off by 1.0e-01"):
        runtimes.measure(build_model("tiny"), "render", 1, 1, "cpu")
