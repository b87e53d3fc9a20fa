"""The transport benchmark: one short case with each kind of peers, and its table."""

import asyncio
import json
from dataclasses import replace
from functools import partial

import pytest
from rich.console import Console

from benchmarks import transport
from benchmarks.transport import Case, Result, Way, measure_all, message, network, table
from signaling.peer import Peer

pytestmark = pytest.mark.network
CASE = Case("both ways", 2, 0.0, 0, 0.02)


@pytest.fixture(autouse=True)
def _settles_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "SETTLE_S", 0.3)


def test_message_is_the_same_for_the_same_number_and_in_its_sizes() -> None:
    messages = [message(number, (15, 25)) for number in range(200)]
    assert messages == [message(number, (15, 25)) for number in range(200)]
    assert {len(each) for each in messages} == set(range(15, 26))
    assert len(set(messages)) == 200


async def test_measure_all_tuned_costs_less_and_all_of_it_arrives() -> None:
    plain, tuned = await measure_all([CASE], 1.0, 2)
    assert (plain.tuned, tuned.tuned) == (False, True)
    assert plain.delivered == tuned.delivered == 1.0
    assert plain.payload_kbps_up < tuned.wire_kbps_up < 0.7 * plain.wire_kbps_up
    assert tuned.packets_per_s_up < 0.7 * plain.packets_per_s_up
    assert json.loads(json.dumps(plain.__dict__ | {"case": None}))["age_ms_p50"] > 0


async def test_network_loses_its_share_and_nothing_else() -> None:
    came: list[int] = []
    impair = network(1, 0.25, 0.0)
    for number in range(1000):
        impair(b"", partial(came.append, number))
    await asyncio.sleep(0.05)
    assert 700 < len(came) < 800
    assert len(set(came)) == len(came)


async def test_way_damaged_message_ends_the_measurement() -> None:
    peers = Peer(), Peer()
    way = Way(*peers, CASE)
    way.sent_s.append(0.0)
    with pytest.raises(SystemExit, match="message 0 came damaged or twice"):
        way._take(message(0, (15, 25))[:-1] + b"\xff\x00")
    for peer in peers:
        await peer.close()


def test_table_has_stock_and_tuned_in_one_line() -> None:
    plain = Result(CASE, False, 27.5, 27.6, 2.7, 33.3, 33.3, 0.81, 150.2, 161.0)
    console = Console(width=160, record=True)
    console.print(table([plain, replace(plain, tuned=True, wire_kbps_up=14.9, wire_kbps_down=15.0)]))
    line = next(line for line in console.export_text().splitlines() if "both ways" in line)
    assert [word in line for word in ("27.5 / 27.6", "14.9 / 15.0", "81.0%", "150, 161")] == [True] * 4


def test_main_unknown_case() -> None:
    with pytest.raises(SystemExit, match="both ways.*got 'sideways'"):
        transport.main(["--only", "sideways"])
