"""cli.py: the listening socket, and the whole program as a process."""

import os
import re
import signal
import socket
import subprocess
import sys

import pytest

from signaling.cli import listen
from signaling.errors import PortTaken, SettingError
from signaling.settings import SignalSettings, read_settings

pytestmark = pytest.mark.network
PROGRAM = "import typer; from signaling.cli import signal; typer.run(signal)"


def test_listen_taken_port_is_one_line_that_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"expected a free port, but 127.0.0.1 port {port} is taken.*--port"):
            listen(SignalSettings(port=port))


def test_listen_address_of_another_machine() -> None:
    with pytest.raises(PortTaken, match="expected an address.*203.0.113.1"):
        listen(SignalSettings(host="203.0.113.1", port=0))


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEWIRE_MAX_ROOMS", "7")
    assert SignalSettings().max_rooms == 7
    assert read_settings(SignalSettings, max_rooms=8, port=None).max_rooms == 8


def test_settings_out_of_range_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEWIRE_PORT", "70000")
    with pytest.raises(SettingError, match=r"^expected settings in their ranges.*port: .*65535$"):
        read_settings(SignalSettings)


def test_signal_says_ready_with_its_port_and_ends_on_sigterm() -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert program.stdout is not None
        ready = program.stdout.readline()
        found = re.fullmatch(r"signal: ready on ws://127\.0\.0\.1:(\d+)\n", ready)
        assert found, ready
        with socket.create_connection(("127.0.0.1", int(found[1])), timeout=5):
            pass
        program.send_signal(signal.SIGTERM)
        _, stderr = program.communicate(timeout=10)
    finally:
        program.kill()
    assert "Traceback" not in stderr
    assert program.returncode == -signal.SIGTERM or program.returncode == 0


def test_server_side_imports_neither_aiortc_nor_torch() -> None:
    code = "import sys, signaling.cli; print({'aiortc', 'torch', 'av'} & set(sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": "."}
    )
    assert ran.stdout == "set()\n"
