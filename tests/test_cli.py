"""The command line as a whole: help, versions, exit codes, and what is not imported."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import facewire
from codec.errors import CodecError


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    root = Path(facewire.__file__).parent
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=root)


def loaded_after(arguments: list[str]) -> set[str]:
    """Top-level modules that a command line has loaded when it ends."""
    code = (
        f"import sys, facewire; code = facewire.run({arguments}); print(*sys.modules, file=sys.stderr); sys.exit(code)"
    )
    done = run_python(code)
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in done.stderr.split()}


def test_help_fits_a_screen_and_loads_no_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert facewire.run(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f" {name} " in text for name in facewire.COMMANDS)
    assert len(text.splitlines()) <= 40
    assert not loaded_after(["--help"]) & {"torch", "aiortc", "cv2", "numpy", "signaling"}


def test_signal_loads_no_torch() -> None:
    loaded = loaded_after(["signal", "--help"])
    assert "signaling" in loaded
    assert not loaded & {"torch", "cv2", "models", "codec"}


@pytest.mark.parametrize("name", facewire.COMMANDS)
def test_every_command_has_a_help_that_fits_a_screen(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert facewire.run([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"facewire {name}" in text
    assert len(text.splitlines()) <= 50


@pytest.mark.parametrize("place", facewire.USER_ERRORS)
def test_every_user_error_exists(place: str) -> None:
    module, name = place.split(":")
    assert issubclass(getattr(import_module(module), name), Exception)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert facewire.run(["--version"]) == 0
    assert capsys.readouterr().out == "facewire 0.1.0\n"


@pytest.mark.parametrize("arguments", [[], ["fly"], ["decompress"], ["signal", "--port", "x"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    assert facewire.run(arguments) == 2


def fail_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int:
    def command() -> None:
        raise error

    monkeypatch.setattr(facewire, "_load", lambda entry: command)
    return facewire.run(["signal"])


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (CodecError("expected a message,\ngot none"), "facewire: expected a message, got none\n"),
        (
            OSError(28, "No space left on device", "out.mp4"),
            "facewire: [Errno 28] No space left on device: 'out.mp4'\n",
        ),
    ],
)
def test_user_error_is_one_line_and_exit_code_1(
    error: Exception, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fail_with(error, monkeypatch) == 1
    assert capsys.readouterr().err == line


def test_interrupt_is_exit_code_130(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fail_with(KeyboardInterrupt(), monkeypatch) == 130


def test_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        fail_with(ZeroDivisionError(), monkeypatch)
