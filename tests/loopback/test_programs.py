"""The three programs as a person starts them: exit codes, one line on stderr, Ctrl-C, and a sender that is killed."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from codec.recording import RecordingReader
from models.face_finder_weights import save_finder
from models.weights import Model, save_model
from tests.loopback.calls import video_times_s
from tests.models.finders import central_finder
from tests.sender.clips import make_clip

pytestmark = pytest.mark.network
ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "FACEWIRE_FACE_THRESHOLD": "0", "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
PATIENCE_S = 60


@contextmanager
def facewire(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Run one command; killed at the end if it still runs."""
    program = subprocess.Popen(
        [sys.executable, "-m", "facewire", *arguments],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield program
    finally:
        program.kill()
        program.communicate()


def failing(arguments: Sequence[str]) -> str:
    """Run a command that must fail with code 1; returns its one line."""
    with facewire(*arguments) as program:
        _, stderr = program.communicate(timeout=PATIENCE_S)
    assert program.returncode == 1, stderr
    assert stderr.count("\n") == 1, stderr
    assert stderr.startswith("facewire: ")
    return stderr.removeprefix("facewire: ")


def wait_for_line(program: "subprocess.Popen[str]", words: str) -> str:
    """Read stdout up to a line that holds these words."""
    assert program.stdout is not None
    for line in program.stdout:
        if words in line:
            return line
    raise AssertionError(f"the program ended without saying {words!r}: {program.stderr and program.stderr.read()}")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory, tiny: Model) -> str:
    folder = tmp_path_factory.mktemp("weights")
    save_model(tiny.networks, tiny.codec_tables, folder, {"source": "test", "licence": "none"})
    save_finder(central_finder(), folder, {"source": "test", "licence": "none"})
    return str(folder)


@pytest.fixture
def server() -> Iterator[str]:
    with facewire("signal", "--port", "0") as program:
        yield wait_for_line(program, "ready").split()[-1]


def test_signal_port_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        words = failing(["signal", "--port", str(port)])
    assert words == f"expected a free port, but 127.0.0.1 port {port} is taken: stop what uses it or give --port\n"


@pytest.mark.parametrize(("name", "words"), [("none.mp4", "found no such file"), ("text.mp4", "got one that is none")])
def test_send_no_clip(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "text.mp4").write_text("not a video\n" * 50)
    assert words in failing(["send", "--room", "r", "--input", str(tmp_path / name)])


def test_receive_into_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert "expected a folder" in failing(["receive", "--room", "r", "--output", str(tmp_path / "none" / "o.mp4")])


def test_receive_without_a_server(tmp_path: Path, weights: str) -> None:
    output, report = tmp_path / "o.mp4", tmp_path / "r.json"
    arguments = ["--room", "r", "--output", str(output), "--weights", weights, "--report", str(report)]
    words = failing(["receive", *arguments, "--server", "ws://127.0.0.1:9"])
    assert words.startswith("expected a signaling server at ws://127.0.0.1:9, got no answer there: connection refused")
    assert json.loads(report.read_text())["ended"] in words


@pytest.mark.slow
def test_sender_killed_in_mid_call(server: str, tmp_path: Path, weights: str) -> None:
    clip = make_clip(tmp_path / "long.mp4", frames=1500)
    output, record, report = tmp_path / "o.mp4", tmp_path / "c.fwr", tmp_path / "r.json"
    common = ["--room", "r", "--server", server, "--weights", weights]
    receiving = ["receive", *common, "--output", str(output), "--record", str(record), "--report", str(report)]
    with facewire(*receiving) as receiver:
        wait_for_line(receiver, "waiting in room 'r' for a sender")
        with facewire("send", *common, "--input", str(clip)) as sender:
            wait_for_line(receiver, "receiving from room 'r'")
            deadline_s = time.monotonic() + PATIENCE_S
            while record.stat().st_size < 4000 and time.monotonic() < deadline_s:
                time.sleep(0.02)
            sender.kill()
        killed_s = time.monotonic()
        _, stderr = receiver.communicate(timeout=PATIENCE_S)
    assert time.monotonic() - killed_s < 20
    assert receiver.returncode == 1
    line = r"facewire: expected the sender to stay until the call ends, but .+: (\d+) frames came before that.+\n"
    found = re.fullmatch(line, stderr)
    assert found, stderr
    figures = json.loads(report.read_text())
    assert len(video_times_s(output)) == int(found[1]) == figures["frames_shown"] == figures["frames_received"] > 0
    reader = RecordingReader(record)
    assert len(list(reader.messages())) == figures["messages_received"]
    assert reader.complete


@pytest.mark.slow
def test_ctrl_c_at_the_sender_ends_the_call_for_both(server: str, tmp_path: Path, weights: str) -> None:
    clip = make_clip(tmp_path / "long.mp4", frames=1500)
    output, report = tmp_path / "o.mp4", tmp_path / "r.json"
    common = ["--room", "r", "--server", server, "--weights", weights]
    with facewire("send", *common, "--input", str(clip), "--report", str(report)) as sender:
        wait_for_line(sender, "waiting in room 'r' for a receiver")
        with facewire("receive", *common, "--output", str(output)) as receiver:
            wait_for_line(sender, "sending")
            time.sleep(1.0)
            sender.send_signal(signal.SIGINT)
            stdout, stderr = receiver.communicate(timeout=PATIENCE_S)
        sender_stdout, sender_stderr = sender.communicate(timeout=PATIENCE_S)
    assert sender.returncode == 130
    assert "send: stopped at the sender: " in sender_stdout
    assert "Traceback" not in sender_stderr
    assert receiver.returncode == 0, stderr
    assert "the sender hung up: stopped at the sender" in stdout
    figures = json.loads(report.read_text())
    assert figures["ended"] == "stopped at the sender"
    assert len(video_times_s(output)) == figures["frames_sent"] > 0
