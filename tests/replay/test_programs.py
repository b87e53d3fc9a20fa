"""Programs started, watched and ended: whatever happens, none is left and the words of a failure come out."""

from pathlib import Path

import pytest

from replay.errors import DemoError
from replay.programs import Program, wait_for_all

READY = r"ready on (ws://\S+)"


@pytest.mark.network
def test_signal_is_ready_then_stopped(tmp_path: Path) -> None:
    with Program("signal", ["--port", "0"], tmp_path / "signal.log") as signal:
        assert signal.wait_for(READY, 30)[1].startswith("ws://127.0.0.1:")
        assert signal.exit_code is None
    assert signal.exit_code is not None


def test_failure_quotes_the_program(tmp_path: Path) -> None:
    with (
        Program("signal", ["--port", "lots"], tmp_path / "signal.log") as signal,
        pytest.raises(DemoError, match=r"`facewire signal` ended with exit code 2 before it was ready.*integer"),
    ):
        signal.wait_for(READY, 30)


@pytest.mark.network
def test_one_that_fails_ends_the_wait_for_all(tmp_path: Path) -> None:
    with (
        Program("signal", ["--port", "0"], tmp_path / "good.log") as good,
        Program("signal", ["--port", "lots"], tmp_path / "bad.log") as bad,
        pytest.raises(DemoError, match="ended with exit code 2"),
    ):
        wait_for_all([good, bad], 60)
    assert good.exit_code is not None


@pytest.mark.network
def test_one_that_never_ends_is_said(tmp_path: Path) -> None:
    with (
        Program("signal", ["--port", "0"], tmp_path / "signal.log") as signal,
        pytest.raises(DemoError, match="did not end within 1 s"),
    ):
        wait_for_all([signal], 0.6)
    assert signal.exit_code is not None


def test_good_ends_need_no_words(tmp_path: Path) -> None:
    with Program("signal", ["--help"], tmp_path / "signal.log") as program:
        wait_for_all([program], 30)
        assert "signal" in program.words
