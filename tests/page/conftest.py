"""A real Chromium with a camera and a microphone that play a clip."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.page.clips import Clip, listening, remote_clip, talking, write_camera, write_microphone
from tests.page.engine_double import EngineDouble

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

Open = Callable[..., "Page"]
Keep = Callable[["Page", str], None]


@pytest.fixture(scope="session")
def devices(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Files of the fake camera and microphone."""
    folder = tmp_path_factory.mktemp("devices")
    camera, microphone = folder / "camera.mjpeg", folder / "microphone.wav"
    write_camera(talking(), camera)
    write_microphone(talking(), microphone)
    return camera, microphone


@pytest.fixture(scope="session")
def clip() -> Clip:
    """The other person."""
    return remote_clip(listening())


@pytest.fixture(scope="module")
def launch(devices: tuple[Path, Path]) -> Iterator[Callable[..., "Browser"]]:
    """Start browsers; ended with the module, because playwright's loop must not outlive it."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make test installs it")
    with api.sync_playwright() as running:

        def start(with_devices: bool = True) -> "Browser":
            camera, microphone = devices
            files = (
                f"--use-file-for-fake-video-capture={camera}",
                f"--use-file-for-fake-audio-capture={microphone}",
            )
            fake = ["--use-fake-device-for-media-stream", *files] if with_devices else []
            browser: Browser = running.chromium.launch(executable_path=CHROMIUM, args=fake)
            return browser

        yield start


@pytest.fixture(scope="module")
def browser(launch: Callable[..., "Browser"]) -> Iterator["Browser"]:
    """A browser with devices."""
    browser = launch()
    yield browser
    browser.close()


@pytest.fixture
def engine() -> Iterator[EngineDouble]:
    """The other end of the page's link."""
    engine = EngineDouble()
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture
def open_page(browser: "Browser", engine: EngineDouble) -> Iterator[Open]:
    """Open the page in a profile of its own. An error that the page does not catch fails the test."""
    contexts: list[Any] = []
    errors: list[str] = []

    def open_one(
        url: str | None = None,
        permissions: tuple[str, ...] = ("camera", "microphone"),
        script: str | None = None,
        consent: bool = True,
        **options: Any,
    ) -> "Page":
        context = browser.new_context(
            permissions=list(permissions), **{"viewport": {"width": 1180, "height": 760}, **options}
        )
        contexts.append(context)
        if script is not None:
            context.add_init_script(script)
        page = context.new_page()
        page.set_default_timeout(30000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(url or engine.url)
        if consent and page.locator("#consent").is_visible():
            page.check("#consent")
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots are kept."""
    folder = Path(os.environ.get("FACEWIRE_SCREENSHOTS", "build/screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def keep(pictures: Path) -> Keep:
    """Take a screenshot."""

    def take(page: "Page", name: str) -> None:
        page.screenshot(path=pictures / f"{name}.png")

    return take
