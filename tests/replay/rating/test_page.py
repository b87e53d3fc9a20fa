"""A rater in a real browser."""

import asyncio
import shutil
import threading
from pathlib import Path

import pytest

from replay.rating.choices import read_choices
from replay.rating.server import rate

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.network, pytest.mark.slow]


class Rating:
    """`rate` in a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self._ready = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    async def _run(self) -> None:
        await rate(self.folder, self.folder / "choices.csv", 0, self._tell)

    def _tell(self, url: str) -> None:
        self.url = url
        self._ready.set()

    def start(self) -> str:
        self.thread.start()
        assert self._ready.wait(30)
        return self.url


def test_a_rater_watches_chooses_and_ends(folder: Path, tmp_path: Path) -> None:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make test installs it")
    rating = Rating(folder)
    url = rating.start()
    with api.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM)
        page = browser.new_page(viewport={"width": 1000, "height": 760})
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(url)
        page.get_by_label("Your name").fill("anna")
        page.keyboard.press("Enter")
        for number in (1, 2, 3):
            api.expect(page.locator("#count")).to_have_text(f"{number} of 3")
            api.expect(page.get_by_role("button", name="Left is better")).to_be_enabled(timeout=30_000)
            page.screenshot(path=tmp_path / f"rating_{number}.png")
            page.keyboard.press("ArrowLeft" if number < 3 else "ArrowDown")
        api.expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
        page.get_by_role("button", name="Close the page’s program").click()
        api.expect(page.locator("#done-words")).to_have_text("You may close this tab.")
        browser.close()
    rating.thread.join(20)
    assert not rating.thread.is_alive()
    assert not faults
    choices = read_choices(folder / "choices.csv")
    assert [choice.choice for choice in choices] == ["left", "left", "same"]
    assert all(choice.preferred == choice.left for choice in choices[:2])
