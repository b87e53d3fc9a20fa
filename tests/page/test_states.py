"""What the page says: each state of a call, each thing that can go wrong. Screenshots are kept of all."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from call.page_binary import ToEngine
from tests.page.clips import Clip
from tests.page.conftest import Keep, Open
from tests.page.engine_double import IN_CALL, LINK, STATS, EngineDouble, begin, until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.network, pytest.mark.slow]


def problem(page: "Page") -> str:
    """The words of what went wrong, once they are there."""
    page.wait_for_selector("#problem:visible")
    return page.inner_text("#problem")


def test_lobby_guides_the_head_and_shows_the_crop(open_page: Open, engine: EngineDouble, keep: Keep) -> None:
    page = open_page(consent=False)
    engine.wait_for(lambda: len(engine.got(ToEngine.CAMERA)) > 3, "frames")
    engine.tell(type="face", found=False, score=0.1, words="no face is seen yet: sit before the camera, in good light")
    until(page, "document.querySelector('#face-words').innerText.includes('No face is seen')")
    assert page.locator(".guide ellipse").evaluate("guide => getComputedStyle(guide).opacity") == "1"
    keep(page, "lobby_no_face")
    engine.tell(type="face", found=True, score=0.9, words="")
    engine.tell(type="crop", left=160.0, top=60.0, side=320.0)
    page.wait_for_selector("#crop:visible")
    box, frame = page.locator("#crop").bounding_box(), page.locator("#preview").bounding_box()
    assert box is not None
    assert frame is not None
    scale = frame["width"] / 640
    assert box["width"] == pytest.approx(320 * scale, abs=2)
    assert box["x"] - frame["x"] == pytest.approx((640 - 160 - 320) * scale, abs=2)
    keep(page, "lobby")


def test_consent_is_asked_once(open_page: Open, engine: EngineDouble) -> None:
    page = open_page(consent=False)
    engine.wait_for(lambda: engine.said_of("hello"), "hello")
    assert page.is_disabled("#start")
    assert "agree" in page.inner_text("#start-hint")
    page.check("#consent")
    page.click("#start:enabled")
    engine.wait_for(lambda: engine.said_of("start"), "start")
    assert engine.said_of("start") == [{"type": "start", "consent": True}]
    page.reload()
    page.wait_for_selector("#start:enabled")
    assert page.is_hidden("#consent-row")


def test_link_of_another_call_is_joined(open_page: Open, engine: EngineDouble) -> None:
    page = open_page()
    page.wait_for_selector("#start:enabled")
    page.click("summary")
    page.fill("#their-link", "kitchen")
    assert page.is_disabled("#start")
    assert "ws://" in page.inner_text("#start-hint")
    page.fill("#their-link", f"facewire call {LINK}")
    assert page.inner_text("#start") == "Join the call"
    page.click("#start")
    engine.wait_for(lambda: engine.said_of("start"), "start")
    assert engine.said_of("start") == [{"type": "start", "consent": True, "room_link": LINK}]


def test_waiting_shares_the_link(open_page: Open, engine: EngineDouble, keep: Keep) -> None:
    page = open_page(permissions=("camera", "microphone", "clipboard-read", "clipboard-write"))
    page.click("#start:enabled")
    engine.tell(type="state", state="waiting", reason="nobody is there yet", room_link=LINK)
    page.wait_for_selector("#invite:visible")
    keep(page, "waiting")
    page.click("#copy-link")
    until(page, "document.querySelector('#copy-link').innerText === 'Copied'")
    assert page.evaluate("navigator.clipboard.readText()") == LINK


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        ("starting", "", "Getting ready"),
        ("connecting", "", "Connecting"),
        ("in_call", "", "In call"),
        ("unstable", "nothing was heard from the other side for 1 s", "The connection is unstable"),
        ("reconnecting", "nothing was heard from the other side for 4 s", "Reconnecting"),
    ],
)
def test_states(
    open_page: Open, engine: EngineDouble, clip: Clip, keep: Keep, state: str, reason: str, words: str
) -> None:
    page = open_page()
    begin(page, engine)
    if state in ("in_call", "unstable", "reconnecting"):
        engine.play(clip)
        until(page, "facewire.figures.shown > 3")
    engine.tell(**STATS)
    engine.tell(type="state", state=state, reason=reason, room_link=LINK)
    page.wait_for_selector(f"body[data-state={state}]")
    assert page.inner_text("#state-title") == words
    assert page.is_visible("#state")
    assert reason in page.inner_text("#state").lower()
    page.wait_for_timeout(400)
    keep(page, state)


@pytest.mark.parametrize(
    ("reason", "todo"),
    [
        ("the other side hung up", "facewire call once more"),
        ("the room is full: it has two seats, both are taken", "Ask for a new link"),
        ("expected model 3f2a91, the other side has 77b10c", "same facewire"),
        ("the token of this link has expired", "Ask the other person for a new one"),
    ],
)
def test_ends_say_what_to_do(open_page: Open, engine: EngineDouble, keep: Keep, reason: str, todo: str) -> None:
    page = open_page()
    begin(page, engine)
    engine.tell(type="state", state="ended", reason=reason, room_link=LINK)
    page.wait_for_selector("#ended:visible")
    assert reason in page.inner_text("#ended").lower()
    assert todo in page.inner_text("#ended")
    assert page.is_disabled("#do-mute")
    keep(page, f"ended_{reason.split(':')[0].replace(' ', '_')[:24]}")


def test_leaving_says_so_and_lets_go_of_the_camera(open_page: Open, engine: EngineDouble) -> None:
    page = open_page()
    begin(page, engine)
    page.evaluate("globalThis.track = document.querySelector('#self-video').srcObject.getTracks()[0]")
    page.click("#do-leave")
    engine.wait_for(lambda: engine.said_of("leave"), "goodbye")
    engine.wait_for(lambda: engine.pages == 0, "the page to close its link")
    assert "You left the call." in page.inner_text("#ended")
    assert page.evaluate("track.readyState") == "ended"


def test_no_devices(launch: Callable[..., "Browser"], engine: EngineDouble, keep: Keep) -> None:
    browser = launch(with_devices=False)
    page = browser.new_context(permissions=["camera", "microphone"]).new_page()
    page.goto(engine.url)
    words = problem(page)
    assert "No camera was found." in words
    assert "Try again" in words
    assert page.inner_text("#camera-choice") == "No camera found"
    keep(page, "error_no_camera")
    page.check("#consent")  # one can still listen
    page.click("#start:enabled")
    engine.wait_for(lambda: engine.said_of("start"), "a call without camera")
    browser.close()


def test_permission_refused(open_page: Open, engine: EngineDouble, keep: Keep) -> None:
    page = open_page(permissions=())
    assert "may not use the camera" in problem(page)
    assert "Allow both" in problem(page)
    keep(page, "error_refused")
    page.context.grant_permissions(["camera", "microphone"])
    page.click("#problem-again")
    page.wait_for_selector("#problem", state="hidden")
    engine.wait_for(lambda: engine.got(ToEngine.CAMERA), "frames after all")


def test_one_of_two_refused(open_page: Open, engine: EngineDouble) -> None:
    page = open_page(permissions=("camera",))
    assert "may not use" in problem(page)
    engine.wait_for(lambda: len(engine.got(ToEngine.CAMERA)) > 2, "the camera, which was allowed")


def test_another_microphone_is_chosen(open_page: Open, engine: EngineDouble) -> None:
    page = open_page()
    page.wait_for_selector("#start:enabled")
    until(page, "document.querySelectorAll('#microphone-choice option').length > 1")
    chosen = page.evaluate("document.querySelector('#microphone-choice').lastElementChild.label")
    page.select_option("#microphone-choice", label=chosen)
    until(page, "document.querySelector('#microphone-choice').selectedOptions[0].label === " + repr(chosen))
    before = len(engine.got(ToEngine.CAMERA))
    engine.wait_for(lambda: len(engine.got(ToEngine.CAMERA)) > before + 2, "the camera to go on")
    begin(page, engine)
    engine.wait_for(lambda: len(engine.got(ToEngine.OPUS)) > 3, "its sound")


def test_camera_is_pulled_out(open_page: Open, engine: EngineDouble) -> None:
    page = open_page()
    begin(page, engine)
    page.evaluate("document.querySelector('#self-video').srcObject.getTracks()[0].dispatchEvent(new Event('ended'))")
    assert "is gone" in problem(page)
    page.click("#problem-again")
    page.wait_for_selector("#problem", state="hidden")


def test_reloaded_page_returns_to_the_call(open_page: Open, engine: EngineDouble) -> None:
    page = open_page()
    begin(page, engine)
    page.reload()
    engine.wait_for(lambda: len(engine.said_of("hello")) == 2, "the page to come back")
    engine.tell(**IN_CALL)
    until(page, "document.querySelector('#start').innerText === 'Return to the call'")
    page.click("#start:enabled")
    engine.wait_for(lambda: len(engine.said_of("start")) == 2, "it to go on")
    page.wait_for_selector("#do-leave:visible")


TAKEN = """navigator.mediaDevices.getUserMedia = async () => {
  throw new DOMException("Could not start video source", "NotReadableError");
};"""


@pytest.mark.parametrize(
    ("script", "words", "todo"),
    [
        (TAKEN, "in use by another program", "Close the other call"),
        ("delete Navigator.prototype.mediaDevices", "only to secure pages", "http://127.0.0.1"),
        ("delete globalThis.AudioDecoder", "cannot code speech", "The call works"),
        ("delete globalThis.AudioWorkletNode", "cannot play or record sound", "Use a current"),
    ],
)
def test_what_the_browser_lacks(open_page: Open, keep: Keep, script: str, words: str, todo: str) -> None:
    page = open_page(script=script)
    said = problem(page)
    assert words in said
    assert todo in said
    keep(page, f"error_{words.replace(' ', '_')}")


@pytest.mark.parametrize(
    ("code", "words", "todo"),
    [
        (4401, "address has expired", "printed last"),
        (4403, "another origin", "exactly as it stands"),
        (4409, "open in another window", "Go on there"),
    ],
)
def test_refusals_of_the_engine(
    open_page: Open, engine: EngineDouble, keep: Keep, code: int, words: str, todo: str
) -> None:
    engine.refuse_with = code
    page = open_page()
    assert words in problem(page)
    assert todo in problem(page)
    assert page.is_disabled("#start")
    keep(page, f"error_{code}")


def test_wrong_and_missing_token(open_page: Open, engine: EngineDouble) -> None:
    page = open_page(f"{engine.origin}/?token=of-yesterday")
    assert "address has expired" in problem(page)
    page.goto(f"{engine.origin}/")
    assert "has no token" in problem(page)


def test_engine_stops(open_page: Open, engine: EngineDouble, keep: Keep) -> None:
    page = open_page()
    begin(page, engine)
    engine.stop()
    assert "facewire on this machine has stopped" in problem(page)
    assert "Run facewire call again" in problem(page)
    assert page.is_disabled("#do-mute"), "there is nobody left to tell"
    keep(page, "error_engine_gone")


def test_link_comes_back(open_page: Open, engine: EngineDouble) -> None:
    page = open_page()
    begin(page, engine)
    page.keyboard.press("m")
    engine.wait_for(lambda: engine.said_of("mute"), "mute")
    engine.drop()
    engine.wait_for(lambda: len(engine.said_of("hello")) == 2, "the page to come back")
    engine.wait_for(lambda: len(engine.said_of("start")) == 2, "it to go on with the call")
    engine.wait_for(lambda: engine.said_of("mute")[1:] == [{"type": "mute", "on": True}], "it to be muted still")
    engine.wait_for(lambda: engine.pages == 1, "one link")
    engine.tell(**IN_CALL)
    assert page.is_hidden("#problem")


def test_error_of_the_engine_is_said(open_page: Open, engine: EngineDouble) -> None:
    page = open_page()
    begin(page, engine)
    engine.tell(type="error", words="<b>the microphone sends noise</b>", what_to_do="choose another one")
    assert "<b>the microphone sends noise</b>" in problem(page), "as text, never as markup"
    page.click("#problem-close")
    assert page.is_hidden("#problem")
