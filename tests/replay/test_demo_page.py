"""demo_page.py: when a page is opened, and what is said of the call."""

import io

import pytest
from rich.console import Console

from replay.demo_page import call_table, somebody_is_there


class Terminal(io.StringIO):
    """A stream that says whether somebody reads it."""

    def __init__(self, there: bool) -> None:
        super().__init__()
        self.there = there

    def isatty(self) -> bool:
        return self.there


@pytest.mark.parametrize(
    ("there", "environment", "platform", "opens"),
    [
        (True, {"DISPLAY": ":0"}, "linux", True),
        (True, {"WAYLAND_DISPLAY": "wayland-0", "CI": ""}, "linux", True),
        (True, {}, "linux", False),
        (True, {"DISPLAY": ":0", "CI": "true"}, "linux", False),
        (False, {"DISPLAY": ":0"}, "linux", False),
        (True, {}, "darwin", True),
        (True, {"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, "darwin", False),
        (True, {}, "win32", True),
    ],
)
def test_page_is_opened_for_a_person_alone(
    there: bool, environment: dict[str, str], platform: str, opens: bool
) -> None:
    assert somebody_is_there(environment, Terminal(there), platform) is opens


@pytest.mark.parametrize(("joined_s", "rate"), [(5.0, "16.0 / 8.0 kbps"), (None, "- / - kbps")])
def test_table_tells_rates_of_the_time_together(joined_s: float | None, rate: str) -> None:
    figures = {
        "ended": "this side hung up",
        "duration_s": 15.0,
        "joined_s": joined_s,
        "wire_bytes_out": 20_000,
        "wire_bytes_in": 10_000,
        "payload_bytes_out": 5_000,
        "payload_bytes_in": 2_500,
        "frames_sent": 290,
        "frames_shown": 250,
    }
    console = Console(file=io.StringIO(), width=100)
    console.print(call_table(figures))
    words = console.file.getvalue()  # type: ignore[attr-defined]
    assert rate in words
    assert "290 / 250" in words
