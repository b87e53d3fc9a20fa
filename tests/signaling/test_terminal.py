"""terminal.py: Ctrl-C lets the program clean up; only aiortc's last packet is kept off the screen."""

import asyncio
import json
import logging
import os
import signal
from pathlib import Path

import pytest
from OpenSSL import SSL

from signaling.terminal import run, show_progress, write_report


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_signal_cancels_lets_clean_up_and_ends_as_interrupted(number: signal.Signals) -> None:
    cleaned = []

    async def main() -> None:
        asyncio.get_running_loop().call_later(0.01, os.kill, os.getpid(), number)
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            cleaned.append(True)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        run(main())
    assert cleaned == [True]
    assert signal.getsignal(signal.SIGTERM) is before


def test_run_returns_the_result() -> None:
    async def main() -> int:
        return 7

    assert run(main()) == 7


def stray(filename: str, error: Exception) -> None:
    """Run a program in which a task of code from that file fails with nobody waiting for it."""
    names: dict[str, object] = {"error": error}
    exec(compile("async def send():\n    raise error\n", filename, "exec"), names)

    async def main() -> None:
        sending = asyncio.create_task(names["send"]())  # type: ignore[operator]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del sending

    run(main())


def test_run_keeps_aiortcs_last_packet_off_the_screen(caplog: pytest.LogCaptureFixture) -> None:
    stray("/site-packages/aiortc/rtcsctptransport.py", SSL.Error([("SSL routines", "", "protocol is shutdown")]))
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    ("filename", "error"),
    [("/site-packages/aiortc/rtcsctptransport.py", ValueError("a bug")), ("/sender/pipeline.py", ConnectionError())],
)
def test_run_reports_every_other_stray_error(caplog: pytest.LogCaptureFixture, filename: str, error: Exception) -> None:
    stray(filename, error)
    assert "Task exception was never retrieved" in caplog.text


async def test_show_progress_without_a_terminal_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(show_progress(lambda: "never seen"), 0.05)
    assert capfd.readouterr() == ("", "")


def test_write_report(tmp_path: Path) -> None:
    write_report(None, {"frames": 3})
    write_report(tmp_path / "r.json", {"frames": 3})
    assert json.loads((tmp_path / "r.json").read_text()) == {"frames": 3}
