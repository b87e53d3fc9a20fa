"""`facewire compare --ab`: from the printed address to the score."""

import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

import facewire
from replay.rating.choices import Preference
from replay.rating.sitting import sit, words_of


def rate_all(url: str) -> None:
    """What the page does for a rater who always takes the left one."""
    parts = urlsplit(url)
    headers = {"X-Token": parse_qs(parts.query)["token"][0]}
    with httpx.Client(base_url=f"{parts.scheme}://{parts.netloc}", headers=headers) as client:
        task = client.post("/start", json={"rater": "anna"}).json()
        while task["left"] is not None:
            task = client.post("/answer", json={"number": task["number"], "choice": "left"}).json()
        client.post("/end")


@pytest.mark.network
def test_a_sitting_ends_with_the_score(folder: Path) -> None:
    said: list[str] = []
    raters: list[threading.Thread] = []

    def browse(url: str) -> None:
        raters.append(threading.Thread(target=rate_all, args=(url,)))
        raters[0].start()

    sit(folder, 0, said.append, browse)
    raters[0].join(10)
    assert said[0].startswith("compare: rate at http://127.0.0.1:")
    assert "of 3 choices by 1 raters" in said[1]
    assert len((folder / "choices.csv").read_text().splitlines()) == 4


def test_score_in_words() -> None:
    found = Preference("ours", "x264", 40, 28, 4, 5, 0.75, 0.6, 0.86)
    assert words_of(found) == (
        "compare: ours was preferred to x264: 75% (60% to 86%, 95 % interval) of 40 choices by 5 raters, "
        "4 of them without a preference"
    )


def test_folder_without_pairs_and_nothing_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert facewire.run(["compare", "--ab", str(tmp_path)]) == 1
    assert "expected the pairs that `facewire compare" in capsys.readouterr().err
    assert facewire.run(["compare"]) == 2
    assert "--ab with a folder to rate" in capsys.readouterr().err
