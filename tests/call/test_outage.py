"""Two programs on real interfaces, whose cable is pulled and whose address changes."""

import time
from collections.abc import Iterator

import pytest

from benchmarks.caller import Caller, wait_for
from benchmarks.outage import calling, kill, lose, move
from benchmarks.wires import End, NoNamespaces, Wires
from call.dialling import NETWORK_EACH_S

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


def test_another_address_comes_and_goes_beside_the_call(wires: Wires, sides: dict[End, Caller]) -> None:
    said = {end: len(side.states) for end, side in sides.items()}
    flows = [side.flows_since(time.monotonic()) for side in sides.values()]
    for there in (True, False):
        wires.second_address("a", there)
        time.sleep(2 * NETWORK_EACH_S)  # it is looked for that often
    wait_for(lambda: all(each() for each in flows), 30, "the call to go on")
    later = [state for end, side in sides.items() for state in side.states[said[end] :]]
    assert "reconnecting" not in [state["state"] for state in later], later


def test_another_network_with_another_address(wires: Wires, sides: dict[End, Caller]) -> None:
    row = move(wires, sides)
    assert row["words"]["a"][0] == "this machine's network changed"
    assert any("connecting again" in word for word in row["words"]["b"])


def test_killed_program_is_missed_in_words(sides: dict[End, Caller]) -> None:
    words = kill(sides)["words"]["b"]
    assert any("left its seat" in word or "nothing was heard" in word for word in words), words
