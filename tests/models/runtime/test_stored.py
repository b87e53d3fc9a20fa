"""Choices on disk: what was kept comes back; what is damaged is as good as nothing."""

from pathlib import Path

import pytest

from models.runtime.choose import Choice, Measured
from models.runtime.stored import cache_folder, keep_choice, key_of, one_at_a_time, read_choice

CHOICE = Choice("render", "quick", "1 ms", (Measured("torch", 2.0, 3.0, 0.0, 0.0), Measured("x", problem="no")))


def test_read_what_was_kept(tmp_path: Path) -> None:
    keep_choice(tmp_path / "new", CHOICE)
    assert read_choice(tmp_path / "new", {"quick", "torch"}) == CHOICE
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["choice.json"]


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", "7", '{"way": "quick"}', '{"measured": 3}', '{"measured": [{"color": 1}]}', "\x00\xff"],
)
def test_damaged_files_are_none(content: str, tmp_path: Path) -> None:
    (tmp_path / "choice.json").write_text(content, encoding="latin-1")
    assert read_choice(tmp_path, {"quick"}) is None


def test_a_way_that_is_gone_is_none(tmp_path: Path) -> None:
    keep_choice(tmp_path, CHOICE)
    assert read_choice(tmp_path, {"torch"}) is None
    assert read_choice(tmp_path / "nowhere", {"quick"}) is None


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    keep_choice(tmp_path / "file" / "folder", CHOICE)
    with one_at_a_time(tmp_path / "file" / "folder"):
        pass


def test_cache_folder_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "facewire" / "runtimes"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/invalid")
    assert cache_folder() == Path.home() / ".cache" / "facewire" / "runtimes"


def test_key_changes_with_every_fact() -> None:
    facts = {"model": "a", "threads": 1}
    assert key_of(facts) == key_of({"threads": 1, "model": "a"})
    assert len({key_of(facts), key_of({**facts, "threads": 2}), key_of({**facts, "model": "b"})}) == 3
