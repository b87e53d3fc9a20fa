"""One's own picture on the page: seen before it is sent, renewed where that is allowed."""

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.page.conftest import Keep, Open
from tests.page.engine_double import STATS, EngineDouble, begin, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.network, pytest.mark.slow]

PORTRAIT = Path(__file__).resolve().parents[2] / "replay/assets/portrait.jpg"


@pytest.fixture(scope="module")
def portrait() -> str:
    """A picture as the engine previews it."""
    return base64.b64encode(PORTRAIT.read_bytes()).decode()


def see_face(page: "Page", engine: EngineDouble) -> None:
    """The camera shows a face, in the lobby."""
    page.wait_for_selector("#start:enabled")
    engine.tell(type="face", found=True, score=0.9, words="")
    engine.wait_for(lambda: engine.said_of("take_source"), "the page to have a picture taken")


def test_lobby_shows_the_picture_and_sends_nothing(
    open_page: Open, engine: EngineDouble, keep: Keep, portrait: str
) -> None:
    page = open_page()
    see_face(page, engine)
    assert page.is_hidden("#own")
    engine.tell(type="source_preview", jpeg=portrait)
    page.wait_for_selector("#own:visible")
    until(page, "document.querySelector('#own-image').naturalWidth > 0")
    keep(page, "lobby_own_picture")
    assert not engine.said_of("source")
    engine.tell(type="face", found=True, score=0.9, words="")
    page.click("#own-other")
    assert page.inner_text("#source-send") == "Use this picture"
    page.click("#source-still")
    engine.wait_for(lambda: len(engine.said_of("take_source")) == 2, "another picture")
    engine.tell(type="source_preview", jpeg=portrait)
    page.click("#source-send:enabled")
    engine.wait_for(lambda: engine.said_of("source"), "the choice")
    assert page.is_hidden("#source")
    begin(page, engine)
    page.wait_for_timeout(300)
    assert page.is_hidden("#fresh")
    assert len(engine.said_of("source")) == 1


def test_lobby_on_a_narrow_dark_screen(open_page: Open, engine: EngineDouble, keep: Keep, portrait: str) -> None:
    page = open_page(viewport={"width": 390, "height": 900}, color_scheme="dark", consent=False)
    engine.wait_for(lambda: engine.said_of("hello"), "hello")
    engine.tell(type="face", found=True, score=0.9, words="")
    engine.tell(type="source_preview", jpeg=portrait)
    page.wait_for_selector("#own:visible")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    page.screenshot(path="build/screenshots/lobby_own_narrow.png", full_page=True)


def test_first_picture_of_a_call_that_began_without_is_seen_before_it_goes(
    open_page: Open, engine: EngineDouble, keep: Keep, portrait: str
) -> None:
    page = open_page()
    begin(page, engine)
    engine.tell(**STATS)
    engine.tell(type="source_preview", jpeg=portrait)
    page.wait_for_selector("#fresh:visible")
    assert "is sent to the other person in" in page.inner_text("#fresh-words")
    until(page, "document.querySelector('#fresh-image').naturalWidth > 0")
    keep(page, "call_own_picture")
    assert not engine.said_of("source")
    page.click("#fresh-other")
    assert page.is_visible("#source")
    page.click("#source-cancel")
    page.wait_for_timeout(5500)
    assert not engine.said_of("source"), "somebody who wants another one has not agreed"
    engine.tell(type="source_preview", jpeg=portrait)
    engine.wait_for(lambda: engine.said_of("source"), "the picture, after its seconds")
    assert engine.said_of("source") == [{"type": "source", "jpeg": portrait, "apply": True}]
    assert page.is_hidden("#fresh")


def test_switch_keeps_it_fresh_and_is_remembered(
    open_page: Open, engine: EngineDouble, keep: Keep, portrait: str
) -> None:
    page = open_page()
    engine.wait_for(lambda: engine.said_of("keep_fresh"), "what the person allows")
    assert engine.said_of("keep_fresh") == [{"type": "keep_fresh", "on": False}]
    see_face(page, engine)
    engine.tell(type="source_preview", jpeg=portrait)
    page.wait_for_selector("#own:visible")
    page.click("#own-other")
    page.check("#keep-fresh")
    engine.wait_for(lambda: len(engine.said_of("keep_fresh")) == 2, "the switch")
    keep(page, "keep_fresh")
    page.reload()
    page.check("#consent")
    engine.wait_for(lambda: len(engine.said_of("keep_fresh")) == 3, "the switch, remembered")
    assert [message["on"] for message in engine.said_of("keep_fresh")] == [False, True, True]
    engine.tell(type="source_preview", jpeg=portrait)
    page.wait_for_selector("#own:visible")
    begin(page, engine)
    engine.tell(type="source_preview", jpeg=portrait)  # one that was taken unasked
    page.wait_for_selector("#fresh:visible")
    assert page.inner_text("#fresh-words").startswith("A fresh picture of you was taken")
    assert page.is_hidden("#fresh-send")
    keep(page, "fresh_picture")
    page.wait_for_selector("#fresh", state="hidden")
    assert not engine.said_of("source")


def test_question_is_taken_back(open_page: Open, engine: EngineDouble) -> None:
    page = open_page()
    begin(page, engine)
    engine.tell(type="ask_source", why="the light on you has changed")
    page.wait_for_selector("#ask:visible")
    assert "The light on you has changed." in page.inner_text("#ask-why")
    engine.tell(type="ask_source", why="")
    page.wait_for_selector("#ask", state="hidden")
