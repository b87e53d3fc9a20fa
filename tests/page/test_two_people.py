"""Two people call each other: two programs, two browsers, one signaling server that the first one hosts.

The first films one clip, the second another. Nothing here is a double.
"""

import base64
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.page.clips import ROOT, decode_jpeg, listening, talking, write_camera, write_microphone
from tests.page.conftest import CHROMIUM, Keep
from tests.page.engine_double import until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.weights]

START_S = 180.0
"""Loading torch and the networks, on a busy machine."""


class Program:
    """One `facewire call`, and its page in a browser of its own."""

    def __init__(self, log: Path, *arguments: str) -> None:
        self._log = log
        command = [sys.executable, "-m", "facewire", "call", "--no-browser", *arguments]
        quick = {"FACEWIRE_RUNTIME": "torch", "XDG_CACHE_HOME": str(log.parent / log.stem), "PYTHONUNBUFFERED": "1"}
        with log.open("w") as file:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, env={**os.environ, **quick}
            )

    def printed(self, pattern: str) -> str:
        """Wait for what matches in its output."""
        end = time.monotonic() + START_S
        while (found := re.search(pattern, self._log.read_text())) is None:
            assert self.process.poll() is None, self._log.read_text()
            assert time.monotonic() < end, f"waited for {pattern} in {self._log.read_text()!r}"
            time.sleep(0.1)
        return found.group(0)

    def end(self) -> None:
        """Stop it if it still runs."""
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple["Page", "Page", Program, Program]]:
    """Two pages in their lobbies, the second one's program started with the link of the first."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make test installs it")
    folder = tmp_path_factory.mktemp("call")
    first = Program(folder / "first.txt")
    second = Program(folder / "second.txt", first.printed(r"ws://\S+"))
    with api.sync_playwright() as running:
        browsers: list[Browser] = []

        def open_one(program: Program, clip: Path, name: str) -> "Page":
            camera, microphone = folder / f"{name}.mjpeg", folder / f"{name}.wav"
            write_camera(clip, camera)
            write_microphone(clip, microphone)
            files = (
                f"--use-file-for-fake-video-capture={camera}",
                f"--use-file-for-fake-audio-capture={microphone}",
            )
            browser = running.chromium.launch(
                executable_path=CHROMIUM, args=["--use-fake-device-for-media-stream", *files]
            )
            browsers.append(browser)
            context = browser.new_context(permissions=["camera", "microphone"], viewport={"width": 1180, "height": 760})
            page: Page = context.new_page()
            page.set_default_timeout(60000)
            page.goto(program.printed(r"http://127\S+"))
            page.check("#consent")
            return page

        yield open_one(first, talking(), "talking"), open_one(second, listening(), "listening"), first, second
        for browser in browsers:
            browser.close()
    first.end()
    second.end()


def seen(page: "Page") -> NDArray[np.uint8]:
    """The other person as they are on the screen, uint8 RGB [S,S,3]."""
    shot = page.evaluate("document.querySelector('#remote').toDataURL('image/png').split(',')[1]")
    return decode_jpeg(base64.b64decode(shot))


def test_two_people_call_each_other(pages: tuple["Page", "Page", Program, Program], keep: Keep) -> None:
    first, second, program, other = pages
    first.wait_for_selector("#crop:visible")
    keep(first, "two_lobby")
    first.click("#start:enabled")
    first.wait_for_selector("#invite:visible")
    assert first.input_value("#room-link") in program.printed(r"ws://\S+")
    second.click("#start:enabled")
    for page in (first, second):
        page.wait_for_selector("body[data-state=in_call]")
        until(page, "facewire.figures.shown > 5", timeout_s=60)
        until(page, "facewire.loudness > 0.003", timeout_s=60)
    until(first, "document.querySelector('#line').innerText.includes('kbps in')")
    keep(first, "two_first")
    keep(second, "two_second")

    # Each sees the other, and neither sees a grey field: the two clips differ in their grounds.
    assert seen(first).std() > 20
    assert np.abs(seen(first).astype(int) - seen(second)).mean() > 20

    # Turn the face: pixels follow.
    before = seen(first)
    first.focus("#remote")
    for _ in range(4):
        first.keyboard.press("ArrowRight")
    until(first, "facewire.figures.view.yaw_deg === 20")
    shown = first.evaluate("facewire.figures.shown")
    until(first, f"facewire.figures.shown > {shown + 12}", timeout_s=60)
    assert np.abs(seen(first).astype(int) - before).mean() > 4
    keep(first, "two_turned")

    first.keyboard.press("c")
    first.keyboard.type("hello there")
    first.keyboard.press("Enter")
    until(second, "document.querySelector('#messages li.them')?.innerText === 'hello there'")
    assert first.locator("#messages li").count() == 1, "what one wrote stands there once"

    second.keyboard.press("m")
    first.wait_for_selector("#their-mute:visible")
    until(first, "facewire.loudness < 0.001")

    first.click("#self-view")
    until(first, "document.querySelector('#self-canvas').getContext('2d').getImageData(128, 128, 1, 1).data[0] > 0")

    first.keyboard.press("Escape")
    first.click("#do-source")
    first.click("#source-still")
    first.wait_for_selector("#source-image:visible")
    keep(first, "two_source")
    first.click("#source-send")
    assert first.is_hidden("#problem")

    first.click("#do-leave")
    second.wait_for_selector("#ended:visible")
    assert "other side" in second.inner_text("#ended").lower()
    keep(second, "two_ended")
    program.process.wait(20)
    other.process.wait(20)
