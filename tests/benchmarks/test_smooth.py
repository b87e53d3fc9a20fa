"""smooth.py and steadiness.py: the figures on motion of which they are known."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import smooth
from benchmarks.smooth import Moving, between_figures, points_px, steady_figures
from benchmarks.steadiness import Array, blinks_kept, closures_px, lag, mouth_kept, rest, tremble
from codec.codec_tables import CodecTables
from codec.motion import Motion
from models.keypoints import LANDMARKS
from models.training.dataset_index import read_index
from models.weights import build_model, save_model
from tests.models.training.prepared import write_prepared

FPS = 30.0
TIMES_S = np.arange(120) / FPS
FACE = np.random.default_rng(4).uniform(-50, 50, (len(LANDMARKS), 2))
LID, CORNERS = LANDMARKS.index(159), (LANDMARKS.index(33), LANDMARKS.index(133))
LIPS = LANDMARKS.index(13), LANDMARKS.index(14)


def face(**lower: Array) -> Array:
    """A face [N,K,2] at rest with its left eye and its mouth moved: `lid` and `lip` [N] px."""
    points = np.repeat(FACE[None], len(TIMES_S), 0)
    points[:, [*CORNERS, LID, *LIPS]] = [(-40, 0), (-20, 0), (-30, -6), (0, 30), (0, 32)]
    points[:, LID, 1] += lower.get("lid", 0)
    points[:, LIPS[1], 1] += lower.get("lip", 0)
    return points


def bump(at_s: float, height: float) -> Array:
    return np.asarray(height * np.exp(-(((TIMES_S - at_s) / 0.05) ** 2)))


def test_lag_of_a_delayed_wave_is_the_delay() -> None:
    raw, calm = (face(lip=10 + 8 * np.sin(2 * np.pi * 2 * (TIMES_S - delay_s))) for delay_s in (0.0, 0.008))
    assert lag(raw, calm, FPS).ms == pytest.approx(8.0, rel=0.05)
    assert lag(raw, calm, FPS).kept == pytest.approx(1.0, abs=0.01)
    assert mouth_kept(raw, face(lip=10 + 6 * np.sin(2 * np.pi * 2 * TIMES_S)), FPS) == pytest.approx(0.75, abs=0.01)


def test_blinks_and_closures_are_found_and_measured() -> None:
    raw = face(lid=bump(1.0, 5) + bump(3.0, 5), lip=12 - bump(2.0, 10))
    calm = face(lid=bump(1.0, 5) + bump(3.0, 4), lip=12 - bump(2.0, 9))
    assert blinks_kept(raw, calm, FPS) == pytest.approx([1.0, 0.8], abs=0.01)
    assert closures_px(raw, calm, FPS) == pytest.approx([1.0], abs=0.01)


def test_tremble_of_noise_at_rest_only() -> None:
    noise = np.random.default_rng(5).normal(size=(120, len(LANDMARKS), 2)) * 0.1
    moving = face() + noise
    moving[60:, :, 0] += 2.0 * np.arange(60)[:, None]
    at_rest = rest(moving, FPS)
    assert at_rest[10:50].all()
    assert not at_rest[65:115].any()
    assert tremble(moving, at_rest) == pytest.approx(0.1 * np.sqrt(6), rel=0.05)
    assert tremble(moving, np.zeros(120, bool)) is None


def clip(x_c: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Moving:
    """A head that turns at a steady speed."""
    t, delta = np.zeros(3, np.float32), np.zeros((len(x_c), 3), np.float32)
    motions = [Motion(0.3 * index, 0, 0, t, delta, index / FPS) for index in range(61)]
    return Moving("turning", FPS, motions, x_c, points_px(motions, x_c) + [3.0, 4.0])


def test_a_steady_turn_is_put_back_exactly_and_loses_nothing() -> None:
    x_c = np.random.default_rng(6).uniform(-0.6, 0.6, (20, 3)).astype(np.float32)
    figures = between_figures(clip(x_c))
    assert figures["interpolated_px"] < 1e-3
    assert figures["repeated_px"] > 0.1
    steady = steady_figures([clip(x_c)], CodecTables.default(20))
    assert steady["measured"]["from_landmarks_px"] == pytest.approx(5.0)
    assert steady["measured"]["lag_ms"] == 0
    assert 0 < steady["steady"]["off_px"] < 0.3


def test_main_writes_what_it_found_and_keeps_the_motion(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_prepared(tmp_path / "data", clips=2, frames=12, stills=0)
    model = build_model("tiny")
    about = {"source": "random", "licence": "Apache-2.0"}
    weights = save_model(model.networks, model.codec_tables, tmp_path / "weights", about)
    arguments = ["--data", str(data), "--out", str(tmp_path), "--split", "train", "--weights", str(weights)]
    smooth.main([*arguments, "--clips", "1"])
    assert "lag_ms" in capsys.readouterr().out
    result = json.loads((tmp_path / "smooth.json").read_text())
    assert result["steady"]["steady"]["bytes"] > 1
    assert result["between"] == []  # 15 frames a second
    (kept,) = tmp_path.glob("moving-*/*.npz")
    assert kept.name.startswith(read_index(data).clips[0].name)
