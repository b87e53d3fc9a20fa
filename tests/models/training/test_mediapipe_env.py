import sys
from pathlib import Path

import pytest

from models.training import mediapipe_env
from models.training.errors import PrepareError
from models.training.mediapipe_env import PINNED, make_environment, ready_python


def test_a_half_made_environment_is_not_ready(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").write_text("")
    assert ready_python(tmp_path) is None
    (tmp_path / mediapipe_env.DONE).write_text("")
    assert ready_python(tmp_path) == tmp_path / "bin" / "python"
    assert make_environment(tmp_path) == tmp_path / "bin" / "python"


def test_versions_are_pinned_and_need_no_libgl() -> None:
    assert all(requirement.count("==") == 1 for requirement in PINNED)
    assert "mediapipe==0.10.21" in PINNED
    assert not any(requirement.startswith("opencv-contrib-python==") for requirement in PINNED)


def test_no_fitting_python_is_an_error_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(mediapipe_env, "PYTHONS", ("3.99",))
    with pytest.raises(PrepareError, match="needs Python 3.99: this is 3"):
        make_environment(tmp_path / "env")


def test_a_failing_step_says_why_and_is_not_ready(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    poor = tmp_path / "python"
    poor.write_text("#!/bin/sh\necho progress >&2\necho 'No module named venv' >&2\nexit 1\n")
    poor.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(poor))
    monkeypatch.setattr(mediapipe_env, "PYTHONS", (f"{sys.version_info.major}.{sys.version_info.minor}",))
    with pytest.raises(PrepareError, match="could not make a Python environment: No module named venv"):
        make_environment(tmp_path / "env")
    assert ready_python(tmp_path / "env") is None
