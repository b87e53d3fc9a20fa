"""Two programs on real interfaces, whose cable is pulled and whose address changes."""

import time
from collections.abc import Iterator

import pytest

from benchmarks.caller import Caller
from benchmarks.outage import calling, lose, move
from benchmarks.wires import End, NoNamespaces, Wires

pytestmark = [pytest.mark.network, pytest.mark.slow]


@pytest.fixture(scope="module")
def wires() -> Iterator[Wires]:
    """Three machines; skipped in words where they cannot be had."""
    try:
        wires = Wires().__enter__()
    except NoNamespaces as error:
        pytest.skip(str(error))
    yield wires
    wires.__exit__(None, None, None)


@pytest.fixture(scope="module")
def sides(wires: Wires) -> Iterator[dict[End, Caller]]:
    """Two programs in a call."""
    with calling(wires) as sides:
        yield sides


def test_cable_pulled_and_plugged_in_again(wires: Wires, sides: dict[End, Caller]) -> None:
    row = lose(wires, sides, ("a",), 9.0)
    for words in row["words"].values():
        assert "nothing was heard from the other side for 4 s" in words
        assert words[-1] == ""
    assert any("the signaling server cannot be reached either" in word for word in row["words"]["a"])
    assert not any("cannot be reached" in word for word in row["words"]["b"])


def test_another_network_with_another_address(wires: Wires, sides: dict[End, Caller]) -> None:
    row = move(wires, sides)
    assert row["words"]["a"][0] == "this machine's network changed"
    assert any("connecting again" in word for word in row["words"]["b"])


def test_killed_program_is_missed_in_words(wires: Wires, sides: dict[End, Caller]) -> None:
    said = len(sides["b"].states)
    sides["a"].kill()
    killed_s = time.monotonic()
    while not any(state["state"] == "reconnecting" for state in sides["b"].states[said:]):
        assert time.monotonic() < killed_s + 15
        time.sleep(0.05)
    words = sides["b"].reasons[said:]
    assert any("left its seat" in word or "nothing was heard" in word for word in words), words
