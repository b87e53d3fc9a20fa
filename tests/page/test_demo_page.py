"""`facewire demo --page` as a person has it: a page, and a clip on the other side that is seen and heard."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from models.face_finder_weights import save_finder
from models.weights import build_model, save_model
from tests.loopback.test_call_sound import sounding
from tests.models.finders import central_finder
from tests.page.clips import ROOT
from tests.page.conftest import Keep
from tests.page.engine_double import until
from tests.receiver.sounds import beeps

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.network, pytest.mark.slow]
START_S = 120.0


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, tiny = tmp_path_factory.mktemp("weights"), build_model("tiny")
    save_model(tiny.networks, tiny.codec_tables, folder, {"source": "test", "licence": "none"})
    save_finder(central_finder(), folder, {"source": "test", "licence": "none"})
    return folder


def words_of(log: Path, until_they_match: str, program: "subprocess.Popen[bytes]") -> str:
    """Wait for words in a program's output."""
    end_s = time.monotonic() + START_S
    while (found := re.search(until_they_match, log.read_text())) is None:
        assert program.poll() is None, log.read_text()
        assert time.monotonic() < end_s, log.read_text()
        time.sleep(0.1)
    return found.group(0)


def test_demo_is_a_call_with_a_clip(
    launch: Callable[..., "Browser"], tmp_path: Path, weights: Path, keep: Keep
) -> None:
    clip, log = sounding(tmp_path / "clip.mp4", beeps(3.0, [0.2], 2.5)), tmp_path / "demo.log"
    browser = launch()  # first: there may be none
    quick = {"FACEWIRE_RUNTIME": "torch", "FACEWIRE_FACE_THRESHOLD": "0", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "facewire", "demo", "--page", "--no-browser"]
    command += ["--input", str(clip), "--out", str(tmp_path / "demo"), "--weights", str(weights)]
    environment = {**os.environ, **quick, "PYTHONUNBUFFERED": "1", "COLUMNS": "200"}
    with log.open("wb") as file:
        program = subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, env=environment)
    try:
        address = words_of(log, r"http://127\S+", program)
        page = browser.new_context(permissions=["camera", "microphone"]).new_page()
        page.set_default_timeout(60000)
        page.goto(address)
        page.check("#consent")
        page.click("#start:enabled")
        page.wait_for_selector("body[data-state=in_call]")
        until(page, "facewire.figures.shown > 5", timeout_s=60)
        until(page, "facewire.loudness > 0.01", timeout_s=60)
        until(page, "facewire.figures.last.timeMs > 4000", timeout_s=60)  # the clip of 3 s began again
        keep(page, "demo")
        page.click("#do-leave")
        assert program.wait(60) == 0, log.read_text()
    finally:
        program.kill()
        program.wait()
        browser.close()
    assert "The call, as your side counted it" in log.read_text()
    figures = json.loads((tmp_path / "demo" / "call.json").read_text())
    assert figures["frames_shown"] > 5
    assert figures["wire_bytes_in"] > figures["payload_bytes_in"] > 0
