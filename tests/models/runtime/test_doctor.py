"""The doctor's figures by hand, and a whole examination of tiny networks."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from facewire import run
from models.runtime import doctor as module
from models.runtime import prepare
from models.runtime.base import Way
from models.runtime.doctor import examine, frame_rates, missing, missing_codecs
from models.runtime.doctor_tables import busy, show
from models.runtime.torch_eager import Eager, Folded
from models.weights import build_model, default_tables, save_model


def path(ms: float, threads: int) -> dict[str, Any]:
    return {"threads": threads, "way": "a", "measured": [{"way": "b", "p50_ms": 1.0}, {"way": "a", "p50_ms": ms}]}


def test_frame_rates_by_hand() -> None:
    apart = frame_rates({"extract": path(10.0, 1), "render": path(40.0, 1)}, cores=2)
    assert apart == {"sender": 100.0, "receiver": 25.0, "both": 25.0}
    # 10 + 2 * 40 core-ms on two cores are 45 ms
    shared = frame_rates({"extract": path(10.0, 1), "render": path(40.0, 2)}, cores=2)
    assert shared == {"sender": 100.0, "receiver": 25.0, "both": 22.2}
    one_core = frame_rates({"extract": path(10.0, 1), "render": path(40.0, 1)}, cores=1)
    assert one_core["both"] == 20.0
    gpu = frame_rates({"extract": path(1.0, 1), "render": path(4.0, 1)}, cores=16, one_device=True)
    assert gpu["both"] == 200.0
    nothing = {"threads": 1, "way": "torch", "measured": []}
    assert frame_rates({"extract": nothing, "render": nothing}, cores=2)["both"] is None


def test_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from models.runtime import machine

    monkeypatch.setattr(machine, "package_version", lambda name: None)
    monkeypatch.setattr(machine, "has_fast_bf16", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert missing_codecs() == []
    lines = missing(devices=[])
    assert len(lines) == 2
    assert "pip install 'facewire[openvino]'" in lines[0]
    assert lines[1].startswith("camera: ")
    monkeypatch.setattr(machine, "package_version", lambda name: "1")
    assert missing(devices=["/dev/video0"]) == []


def test_busy_says_which_times_are_too_long() -> None:
    paths = {"extract": {"load": 0.4}, "render": {"load": 3.0}, "other": {"load": None}}
    lines = busy({"machine": {"cores": 2}, "paths": paths})
    assert len(lines) == 1
    assert lines[0].startswith("render was measured while 3.0 programs wanted 2 cores")


def test_missing_codecs_without_pyav(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    assert missing_codecs()[0].startswith("PyAV: ")


def test_examination_and_its_tables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ways: list[Way] = [Eager(), Folded()]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(prepare, "SMALL_GMAC", 0.0)
    monkeypatch.setattr(prepare, "ways_for", lambda *_: ways)
    threads = torch.get_num_threads()
    report = examine(build_model("tiny"), threads=1)
    assert torch.get_num_threads() == threads
    assert report["model"]["preset"] == "tiny"
    for entry in report["paths"].values():
        assert [result["way"] for result in entry["measured"]] == ["torch", "torch-folded"]
        assert entry["gmac"] > 0
    assert report["fps"]["both"] > 0
    assert json.dumps(report)
    shown = Console(file=io.StringIO(), width=150)
    show(report, shown)
    text = shown.file.getvalue()  # type: ignore[attr-defined]
    for words in ("processor", "torch-folded", "taken", "both at once", "GMAC"):
        assert words in text


def test_command_prints_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    model = build_model("tiny")
    about = {"source": "a test", "licence": "Apache-2.0"}
    save_model(model.networks, default_tables(model.config), tmp_path / "w", about)
    assert run(["doctor", "--weights", str(tmp_path / "w"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["paths"]["render"]["way"] == "torch"
    assert report["paths"]["render"]["why"] == "so small that there is nothing to gain"
    assert module.ALONE_FPS["receiver"] == 30.0
