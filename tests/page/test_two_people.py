"""Two people call each other: two programs, two browsers, one signaling server that the first one hosts.

The first films one clip, the second another. Nothing here is a double. Where network namespaces can be had each person
has a machine of his own, and the cable of one of them is pulled in mid-call.
"""

import base64
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.wires import End, NoNamespaces, Wires
from tests.page.clips import ROOT, decode_jpeg, listening, talking, write_camera, write_microphone
from tests.page.conftest import CHROMIUM, Keep
from tests.page.engine_double import until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.weights]

START_S = 180.0
"""Loading torch and the networks, on a busy machine."""
WIDE: "ViewportSize" = {"width": 1180, "height": 760}
NARROW: "ViewportSize" = {"width": 390, "height": 780}


class Program:
    """One `facewire call`, and its page in a browser of its own."""

    def __init__(self, log: Path, before: list[str], *arguments: str) -> None:
        """Args: before: words before the command, to run it on one of two machines."""
        self._log = log
        command = [*before, sys.executable, "-m", "facewire", "call", "--no-browser", *arguments]
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


@dataclass
class Person:
    """A program and its page."""

    page: "Page"
    program: Program


@pytest.fixture(scope="module")
def wires() -> Iterator[Wires | str]:
    """Two machines, or in words why there is only this one."""
    try:
        wires = Wires().__enter__()
    except NoNamespaces as error:
        yield str(error)
        return
    yield wires
    wires.__exit__(None, None, None)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory, wires: Wires | str) -> Iterator[tuple[Person, Person]]:
    """Two people in their lobbies, the second one's program started with the link of the first."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make test installs it")
    folder = tmp_path_factory.mktemp("call")

    def at(end: End) -> list[str]:
        return [] if isinstance(wires, str) else wires.at(end)

    first = Program(folder / "first.txt", at("a"))
    second = Program(folder / "second.txt", at("b"), first.printed(r"ws://\S+"))
    with api.sync_playwright() as running:
        browsers: list[Browser] = []

        def open_one(program: Program, clip: Path, end: End) -> Person:
            camera, microphone = folder / f"{end}.mjpeg", folder / f"{end}.wav"
            write_camera(clip, camera)
            write_microphone(clip, microphone)
            files = (
                f"--use-file-for-fake-video-capture={camera}",
                f"--use-file-for-fake-audio-capture={microphone}",
            )
            browser = running.chromium.launch(
                executable_path=_chromium_at(at(end), folder / f"chromium_{end}"),
                args=["--use-fake-device-for-media-stream", *files],
            )
            browsers.append(browser)
            context = browser.new_context(permissions=["camera", "microphone"], viewport=WIDE)
            page: Page = context.new_page()
            page.set_default_timeout(180000)
            page.goto(program.printed(r"http://127\S+"))
            page.check("#consent")
            return Person(page, program)

        yield open_one(first, talking(), "a"), open_one(second, listening(), "b")
        for browser in browsers:
            browser.close()
    first.end()
    second.end()


def _chromium_at(before: list[str], script: Path) -> Path:
    """A program that starts Chromium on one of the machines: 127.0.0.1 is another one on each."""
    assert CHROMIUM is not None
    script.write_text(f'#!/bin/sh\nexec {" ".join(before)} {CHROMIUM} "$@"\n')
    script.chmod(0o755)
    return script


def keep_all(keep: Keep, page: "Page", name: str) -> None:
    """Keep a state as it looks in a wide and a narrow window, light and dark."""
    for size, window in (("wide", WIDE), ("narrow", NARROW)):
        page.set_viewport_size(window)
        for colours in ("light", "dark"):
            page.emulate_media(color_scheme=colours)
            keep(page, f"two_{name}_{size}_{colours}")
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")


def seen(page: "Page") -> NDArray[np.uint8]:
    """The other person as they are on the screen, uint8 RGB [S,S,3]."""
    shot = page.evaluate("document.querySelector('#remote').toDataURL('image/png').split(',')[1]")
    return decode_jpeg(base64.b64decode(shot))


def test_two_people_call_each_other(people: tuple[Person, Person], keep: Keep) -> None:
    first, second = (person.page for person in people)
    first.wait_for_selector("#crop:visible")
    keep(first, "two_lobby")
    first.click("#start:enabled")
    first.wait_for_selector("#invite:visible")
    assert first.input_value("#room-link") in people[0].program.printed(r"ws://\S+")
    second.click("#start:enabled")
    for page in (first, second):
        page.wait_for_selector("body[data-state=in_call]")
        until(page, "facewire.figures.shown > 5", timeout_s=180)
        until(page, "facewire.loudness > 0.003", timeout_s=180)
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
    until(first, f"facewire.figures.shown > {shown + 12}", timeout_s=180)
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


def test_network_goes_and_comes_back(people: tuple[Person, Person], wires: Wires | str, keep: Keep) -> None:
    if isinstance(wires, str):
        pytest.skip(wires)
    pages = [person.page for person in people]
    for page in pages:
        page.wait_for_selector("body[data-state=in_call]")
    wires.cut("b")
    for page in pages:
        page.wait_for_selector("body[data-state=unstable]")
        assert page.inner_text("#state-title") == "The connection is unstable"
    for page in pages:
        page.wait_for_selector("body[data-state=reconnecting]")
        assert "nothing was heard from the other side" in page.inner_text("#state").lower()
    keep_all(keep, pages[0], "reconnecting")
    until(pages[1], "document.querySelector('#state').innerText.includes('signaling server cannot be reached')")
    keep_all(keep, pages[1], "reconnecting_alone")
    wires.mend("b")
    shown = [page.evaluate("facewire.figures.shown") for page in pages]
    for page, before in zip(pages, shown, strict=True):
        page.wait_for_selector("body[data-state=in_call]")
        until(page, f"facewire.figures.shown > {before + 5}", timeout_s=180)
    until(pages[1], "facewire.loudness > 0.003", timeout_s=180)
    keep_all(keep, pages[0], "in_call_again")


def test_closed_page_is_told_to_the_other_side_and_nothing_keeps_running(
    people: tuple[Person, Person], keep: Keep
) -> None:
    goes, stays = people
    stays.page.wait_for_selector("body[data-state=in_call]")
    goes.page.close()
    stays.page.wait_for_selector("#ended:visible")
    assert "the other side closed its page" in stays.page.inner_text("#ended").lower()
    keep_all(keep, stays.page, "ended")
    for person in people:
        assert person.program.process.wait(20) == 0
