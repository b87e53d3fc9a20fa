"""The page of `facewire replay`: its doors, and a real browser that plays, steps, jumps and turns."""

import io
import shutil
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image as Pillow

from call.local_page import LocalPage
from models.weights import Model
from replay.play import Playing, Wish
from replay.player.server import PAGE_FOLDER, Player, create_app, write_wav
from tests.replay.recorded import FRAMES, two_way, write
from tests.replay.tiny import save_tiny

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return save_tiny(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def player(tmp_path: Path, model: Model) -> Iterator[Player]:
    player = Player(Playing(write(tmp_path / "a.fwr", model, two_way(model)), model, Wish()), "a.fwr", 1.0)
    yield player
    player.close()


def picture(content: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.array(Pillow.open(io.BytesIO(content)), np.int64)


def test_the_page_has_what_it_asks_for_and_nobody_else(player: Player) -> None:
    page = LocalPage(PAGE_FOLDER, "facewire replay")
    client = TestClient(create_app(player, page), base_url="http://127.0.0.1")
    token = {"token": page.token}
    about = client.get("/about.json", params=token).json()
    assert about["times_s"] == pytest.approx(np.arange(FRAMES) / 25)
    assert (about["name"], about["sound"], about["damage"], about["live"]) == ("a.fwr", False, None, False)
    first, last = (client.get(f"/picture/{index}.jpg", params=token) for index in (0, FRAMES - 1))
    again = client.get("/picture/0.jpg", params=token)
    assert first.content == again.content != last.content
    turned = client.get("/picture/0.jpg", params=token | {"yaw": "20", "pitch": "0"})
    assert np.abs(picture(turned.content) - picture(first.content)).mean() > 2
    back = client.get("/picture/0.jpg", params=token)
    assert back.content == first.content
    for path in (f"/picture/{FRAMES}.jpg", "/picture/-1.jpg", "/sound.wav"):
        assert client.get(path, params=token).status_code == 404
    for path in ("/about.json", "/picture/0.jpg", "/sound.wav", "/"):
        assert client.get(path).status_code == 403
    assert client.get("/base.css").headers["content-type"].startswith("text/css")
    assert client.get("/about.json", params=token, headers={"host": "example.org"}).status_code == 403


def test_sound_lies_at_its_time(tmp_path: Path) -> None:
    tone = np.full(480, 1000, np.int16)
    write_wav(tmp_path / "a.wav", [(-0.005, tone), (0.5, tone)])
    with wave.open(str(tmp_path / "a.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert file.getframerate() == 48000
    assert list(np.flatnonzero(np.diff(samples.astype(int)))) == [239, 23999]
    assert len(samples) == 24480


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")
def test_a_browser_plays_steps_jumps_and_turns(tmp_path: Path, model: Model) -> None:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make test installs it")
    path = write(tmp_path / "call.fwr", model, two_way(model))
    command = [sys.executable, "-m", "facewire", "replay", str(path), "--no-browser", "--weights", str(model.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            url = program.stdout.readline().partition("the page is at ")[2].split()[0]
            with api.sync_playwright() as running:
                browser = running.chromium.launch(executable_path=CHROMIUM)
                try:
                    drive(browser.new_page(viewport={"width": 900, "height": 760}), url)
                finally:
                    browser.close()
        finally:
            program.terminate()


def drive(page: "object", url: str) -> None:
    """What a person does."""
    from playwright.sync_api import Page, expect

    assert isinstance(page, Page)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_default_timeout(60000)
    page.goto(url)
    expect(page.locator("#about")).to_have_text(f"{FRAMES} pictures · 0:01.96", timeout=60000)
    page.keyboard.press(".")
    page.keyboard.press(".")
    expect(page.locator("#time")).to_have_text("0:00.08 · 3")
    page.keyboard.press(",")
    expect(page.locator("#time")).to_have_text("0:00.04 · 2")
    page.locator("#place").fill("30")
    expect(page.locator("#time")).to_have_text("0:01.20 · 31")
    page.locator("#picture").press("ArrowRight")
    expect(page.locator("#turn")).to_have_text("5°, 0°")
    folder = Path("build/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    page.wait_for_function("document.querySelector('#picture').naturalWidth > 0")
    page.screenshot(path=folder / "replay.png")
    page.select_option("#speed", "4")
    page.locator("#picture").press("Space")
    expect(page.locator("#time")).to_have_text(f"0:01.96 · {FRAMES}", timeout=60000)
    expect(page.locator("#play")).to_have_text("Play")
    assert errors == []
