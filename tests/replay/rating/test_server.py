import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from call.local_page import LocalPage
from replay.rating.choices import read_choices
from replay.rating.server import PAGE_FOLDER, Sitting, create_app


@pytest.fixture
def sitting(folder: Path) -> Sitting:
    return Sitting(folder, folder / "choices.csv", now=iter(range(1000)).__next__)


@pytest.fixture
def page() -> LocalPage:
    return LocalPage(PAGE_FOLDER, "facewire compare --ab")


@pytest.fixture
def client(sitting: Sitting, page: LocalPage) -> Iterator[TestClient]:
    with TestClient(create_app(sitting, page, lambda: None), base_url="http://127.0.0.1:1") as client:
        client.headers["X-Token"] = page.token
        yield client


def test_a_sitting_from_first_pair_to_last(client: TestClient, folder: Path) -> None:
    task = client.post("/start", json={"rater": "anna"}).json()
    for number in (1, 2, 3):
        assert (task["number"], task["total"]) == (number, 3)
        videos = [client.get(f"/video/{task[side]}").content for side in ("left", "right")]
        task = client.post("/answer", json={"number": number, "choice": "left"}).json()
        choice = read_choices(folder / "choices.csv")[-1]
        number_of = choice.pair[-1]
        assert videos == [(folder / f"{name}_{number_of}.mp4").read_bytes() for name in (choice.left, choice.right)]
        assert (choice.preferred, choice.rater, choice.seconds) == (choice.left, "anna", 1.0)
    assert task["left"] is None
    assert {choice.pair for choice in read_choices(folder / "choices.csv")} == {"pair0", "pair1", "pair2"}


def test_the_page_does_not_learn_which_is_which(client: TestClient) -> None:
    told = client.post("/start", json={"rater": "anna"})
    assert "ours" not in told.text
    assert "x264" not in told.text
    assert "filename" not in client.get(f"/video/{told.json()['left']}").headers.get("content-disposition", "")


def test_a_rater_goes_on_where_they_stopped(client: TestClient) -> None:
    first = client.post("/start", json={"rater": "anna"}).json()
    client.post("/answer", json={"number": first["number"], "choice": "same"})
    assert client.post("/start", json={"rater": "anna"}).json()["number"] == 2
    assert client.post("/start", json={"rater": "bert"}).json()["number"] == 1


def test_an_answer_given_twice_is_refused(client: TestClient, folder: Path) -> None:
    client.post("/start", json={"rater": "anna"})
    assert client.post("/answer", json={"number": 1, "choice": "left"}).status_code == 200
    again = client.post("/answer", json={"number": 1, "choice": "left"})
    assert again.status_code == 409
    assert "expected an answer to pair 2 of 3" in again.json()["detail"]
    assert len(read_choices(folder / "choices.csv")) == 1


@pytest.mark.parametrize("headers", [{"X-Token": "guess"}, {"Host": "evil.example"}, {"Origin": "http://evil.example"}])
def test_strangers_are_refused(client: TestClient, headers: dict[str, str]) -> None:
    assert client.post("/start", json={"rater": "anna"}, headers=headers).status_code == 403


def test_the_page_asks_for_its_token(client: TestClient, page: LocalPage) -> None:
    assert client.get("/").status_code == 403
    assert "Which looks better?" in client.get(f"/?token={page.token}").text
    assert client.get("/video/guess").status_code == 404


def test_a_choice_that_cannot_be_written_is_said(client: TestClient, folder: Path) -> None:
    client.post("/start", json={"rater": "anna"})
    (folder / "choices.csv").mkdir()
    refused = client.post("/answer", json={"number": 1, "choice": "left"})
    assert refused.status_code == 507
    shutil.rmtree(folder / "choices.csv")
    assert client.post("/answer", json={"number": 1, "choice": "left"}).json()["number"] == 2
