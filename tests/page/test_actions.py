"""What a person does on the page: turn the face, chat, look at figures, choose a picture; by mouse and by keys."""

import base64
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.page.clips import ROOT, Clip, encode_jpeg, frames, talking
from tests.page.conftest import Keep, Open
from tests.page.engine_double import STATS, EngineDouble, begin, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.network, pytest.mark.slow]


def preview() -> str:
    """A picture that an engine would answer with, base64."""
    return base64.b64encode(encode_jpeg(next(frames(talking())))).decode()


def last_view(engine: EngineDouble) -> tuple[float, float]:
    """Yaw and pitch of the newest view message."""
    message = engine.said_of("view")[-1]
    return message["yaw_deg"], message["pitch_deg"]


@pytest.fixture
def page(open_page: Open, engine: EngineDouble, clip: Clip) -> "Page":
    """A page in a call."""
    page = open_page()
    begin(page, engine)
    engine.play(clip)
    until(page, "facewire.figures.shown > 3")
    return page


def test_drag_turns_the_face(page: "Page", engine: EngineDouble, keep: Keep) -> None:
    box = page.locator("#remote").bounding_box()
    assert box is not None
    x, y, step = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"] / 9
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + step, y - step / 2, steps=4)
    page.mouse.up()
    engine.wait_for(lambda: last_view(engine) == pytest.approx((10, 5), abs=0.5), "10 degrees right, 5 up")
    assert page.inner_text("#turn") == "Turned 10° right, 5° up"
    keep(page, "turned")
    page.mouse.move(x - 90, y + 90)  # without the button
    page.wait_for_timeout(100)
    assert last_view(engine) == pytest.approx((10, 5), abs=0.5)
    page.locator("#remote").dblclick()
    engine.wait_for(lambda: last_view(engine) == (0, 0), "the double-click")
    assert page.is_hidden("#turn")


def test_arrow_keys_turn_the_face(page: "Page", engine: EngineDouble) -> None:
    assert page.evaluate("document.activeElement.id") == "remote", "the picture has the focus at the start of a call"
    for key, view in (("ArrowLeft", (-5, 0)), ("ArrowUp", (-5, 5)), ("Home", (0, 0))):
        page.keyboard.press(key)
        engine.wait_for(lambda: engine.said_of("view"), "a view")
        until(
            page, f"[facewire.figures.view.yaw_deg, facewire.figures.view.pitch_deg].join() === '{view[0]},{view[1]}'"
        )
        page.wait_for_timeout(100)
        assert last_view(engine) == view, key


def test_look_at_me(page: "Page", engine: EngineDouble) -> None:
    page.keyboard.press("l")
    engine.wait_for(lambda: engine.said_of("frontalise") == [{"type": "frontalise", "on": True}], "the wish")
    assert page.get_attribute("#do-frontalise", "aria-pressed") == "true"
    page.click("#do-frontalise")
    engine.wait_for(lambda: len(engine.said_of("frontalise")) == 2, "the end of it")
    assert engine.said_of("frontalise")[-1]["on"] is False


def test_chat_both_ways(page: "Page", engine: EngineDouble, keep: Keep) -> None:
    engine.tell(type="chat", text="can you <i>hear</i> me?", **{"from": "them"})
    page.wait_for_selector("#do-chat.news")
    page.keyboard.press("c")
    page.wait_for_selector("#chat:visible")
    assert page.locator("#messages li.them").inner_text() == "can you <i>hear</i> me?"
    page.keyboard.type("very clearly, m and v too")  # shortcuts are letters here
    page.keyboard.press("Enter")
    engine.wait_for(lambda: engine.said_of("chat"), "the line")
    assert engine.said_of("chat") == [{"type": "chat", "text": "very clearly, m and v too"}]
    assert not engine.said_of("mute")
    engine.tell(type="chat", text="very clearly, m and v too", **{"from": "me"})
    engine.tell(type="chat", text="good", **{"from": "them"})
    until(page, "document.querySelectorAll('#messages li').length === 3")
    keep(page, "chat")
    page.click("#chat .close")
    assert page.is_hidden("#chat")


def test_recording_is_seen_on_both_sides(page: "Page", engine: EngineDouble, keep: Keep) -> None:
    page.keyboard.press("r")
    engine.wait_for(lambda: engine.said_of("record") == [{"type": "record", "on": True}], "the wish")
    engine.tell(type="record", who="me", on=True, where="/home/ada/.local/share/facewire/recordings/call-1.fwr")
    engine.tell(type="record", who="them", on=True, where="")
    page.wait_for_selector("#own-record:visible")
    page.wait_for_selector("#their-record:visible")
    assert page.get_attribute("#do-record", "aria-pressed") == "true"
    assert page.inner_text("#record-note") == "Recording into /home/ada/.local/share/facewire/recordings/call-1.fwr"
    keep(page, "recording")
    page.click("#do-record")
    engine.wait_for(lambda: len(engine.said_of("record")) == 2, "the end of it")
    engine.tell(type="record", who="me", on=False, where="/tmp/call-1.fwr")
    engine.tell(type="record", who="them", on=False, where="")
    page.wait_for_selector("#own-record", state="hidden")
    page.wait_for_selector("#their-record", state="hidden")
    assert page.inner_text("#record-note") == "The recording is in /tmp/call-1.fwr"


def test_line_and_curves(page: "Page", engine: EngineDouble, keep: Keep) -> None:
    for index in range(40):
        wobble = {"wire_kbps_in": 22 + index % 5, "delay_ms": 130.0 + 3 * (index % 7), "loss": 0.01 * (index % 3)}
        engine.tell(**{**STATS, **wobble})
    engine.tell(**STATS)
    until(page, "document.querySelector('#line').innerText.includes('H.264')")
    until(page, "document.querySelector('#line').innerText.includes('23 kbps in, 25 out')")
    line = page.inner_text("#line")
    for words in ("loss 1 %", "delay 143 ms", "30 fps", "H.264 would take 312 kbps"):
        assert words in line
    page.keyboard.press("g")
    page.wait_for_selector("#curves:visible")
    path = page.get_attribute(".plot path.first", "d")
    assert path is not None
    assert path.count("L") == 40
    until(page, "document.querySelector('#sound-line').innerText.includes('Voice at 12 kbps')")
    keep(page, "curves")


def test_picture_is_seen_before_it_is_sent(page: "Page", engine: EngineDouble, keep: Keep) -> None:
    shown = preview()
    engine.tell(type="ask_source", why="your face is turned far from the picture that was sent")
    page.wait_for_selector("#ask:visible")
    keep(page, "ask_source")
    page.click("#ask-yes")
    assert page.is_disabled("#source-send")
    page.click("#source-still")
    engine.wait_for(lambda: engine.said_of("take_source"), "the wish for a picture")
    engine.tell(type="source_preview", jpeg=shown)
    page.wait_for_selector("#source-image:visible")
    keep(page, "source")
    assert not engine.said_of("source"), "not before one agrees"
    page.click("#source-send")
    engine.wait_for(lambda: engine.said_of("source"), "the picture")
    assert engine.said_of("source") == [{"type": "source", "jpeg": shown, "apply": True}]
    page.keyboard.press("p")
    page.click("#source-last")
    engine.wait_for(lambda: len(engine.said_of("source")) == 2, "last call's picture")
    assert engine.said_of("source")[1] == {"type": "source", "jpeg": shown, "apply": False}
    page.click("#source-cancel")
    assert page.is_hidden("#source")


def test_picture_from_a_file(page: "Page", engine: EngineDouble, tmp_path: Path) -> None:
    page.keyboard.press("p")
    page.set_input_files("#source-input", ROOT / "replay/assets/portrait.jpg")
    engine.wait_for(lambda: engine.said_of("source"), "the file")
    tried = engine.said_of("source")[0]
    assert tried["apply"] is False
    assert base64.b64decode(tried["jpeg"])[:2] == b"\xff\xd8"
    engine.tell(type="source_preview", jpeg=preview())
    page.click("#source-send:enabled")
    engine.wait_for(lambda: len(engine.said_of("source")) == 2, "agreement")
    assert engine.said_of("source")[1] == {"type": "source", "jpeg": tried["jpeg"], "apply": True}

    page.keyboard.press("p")
    text = tmp_path / "letter.png"
    text.write_text("no picture")
    page.set_input_files("#source-input", text)
    page.wait_for_selector("#source-problem:visible")
    assert "not a picture" in page.inner_text("#source-problem")
    page.set_input_files("#source-input", ROOT / "replay/assets/portrait.jpg")
    engine.wait_for(lambda: len(engine.said_of("source")) == 3, "the next file")
    engine.tell(type="error", words="expected a picture with one face in it, found none", what_to_do="try another one")
    until(page, "document.querySelector('#source-problem').innerText.includes('found none')")
    assert page.is_disabled("#source-send")


def test_no_face_is_said_in_the_call(page: "Page", engine: EngineDouble, keep: Keep) -> None:
    engine.tell(type="face", found=False, score=0.0, words="the face is lost: the other side sees your last picture")
    page.wait_for_selector("#face-note:visible")
    assert "last picture" in page.inner_text("#face-note")
    keep(page, "no_face")
    engine.tell(type="face", found=True, score=0.9, words="")
    page.wait_for_selector("#face-note", state="hidden")


def test_keyboard_reaches_everything_in_order(page: "Page") -> None:
    reached: list[str] = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    wanted = [
        "self-view",
        *(f"do-{name}" for name in ("mute", "camera", "frontalise", "source", "chat", "record", "curves")),
    ]
    assert reached[: len(wanted)] == wanted
    page.keyboard.press("?")
    page.wait_for_selector("#help:visible")
    assert "Look at me" in page.inner_text("#help")
    page.keyboard.press("Escape")
    assert page.is_hidden("#help")
    unnamed = page.evaluate("[...document.querySelectorAll('button')].filter(b => !b.innerText && !b.ariaLabel).length")
    assert unnamed == 0 or page.evaluate("[...document.querySelectorAll('.controls button')].every(b => b.textContent)")


def test_full_screen(page: "Page") -> None:
    page.keyboard.press("f")
    until(page, "document.fullscreenElement?.id === 'call'")
    until(page, "document.querySelector('#do-fullscreen').ariaPressed === 'true'")
    page.keyboard.press("f")
    until(page, "document.fullscreenElement === null")


WINDOWS: list[dict[str, Any]] = [
    {"viewport": {"width": 390, "height": 780}},
    {"viewport": {"width": 390, "height": 780}, "color_scheme": "dark"},
    {"viewport": {"width": 1180, "height": 760}, "color_scheme": "dark", "reduced_motion": "reduce"},
    {"viewport": {"width": 720, "height": 420}},
]


@pytest.mark.parametrize(("number", "window"), list(enumerate(WINDOWS)))
def test_windows(
    open_page: Open, engine: EngineDouble, clip: Clip, keep: Keep, number: int, window: dict[str, Any]
) -> None:
    page = open_page(**window)
    engine.tell(type="face", found=True, score=0.9, words="")
    page.wait_for_timeout(300)
    keep(page, f"window_{number}_lobby")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "no sideways scrolling in the lobby"
    begin(page, engine)
    engine.play(clip)
    engine.tell(**STATS)
    until(page, "facewire.figures.shown > 3")
    page.wait_for_timeout(400)
    keep(page, f"window_{number}_call")
    size = page.viewport_size
    assert size is not None
    for name in ("mute", "leave"):
        box = page.locator(f"#do-{name}").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= size["height"], f"{name} is in the window"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if "reduced_motion" in window:
        engine.tell(type="state", state="reconnecting", reason="", room_link="")
        page.wait_for_selector("body[data-state=reconnecting]")
        assert page.locator(".dot").evaluate("dot => getComputedStyle(dot).animationName") == "none"
    page.keyboard.press("c")
    page.wait_for_selector("#chat:visible")
    keep(page, f"window_{number}_chat")


def test_colours_can_be_read(open_page: Open, engine: EngineDouble) -> None:
    """Text on its ground: 4.5 to 1 (WCAG AA), in light and dark."""
    for scheme, pair in itertools.product(
        ("light", "dark"),
        (("--text", "--ground"), ("--soft", "--surface"), ("--on-accent", "--accent"), ("--soft", "--ground")),
    ):
        page = open_page(color_scheme=scheme)
        values = [
            page.evaluate(f"getComputedStyle(document.documentElement).getPropertyValue('{name}')") for name in pair
        ]
        page.close()
        assert contrast(*values) >= 4.5, (scheme, pair, values)


def contrast(first: str, second: str) -> float:
    """Contrast of two colours #rrggbb."""

    def luminance(colour: str) -> float:
        parts = [int(colour.strip()[index : index + 2], 16) / 255 for index in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
