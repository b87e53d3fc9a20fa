"""link.py: what a simulated link does to datagrams."""

import math
from pathlib import Path

import pytest

from replay.errors import TraceError
from replay.link import Link, LinkPiece, LinkTrace, load_trace

LINKS = Path(__file__).parents[1] / "vectors/links"


def link(seed: int = 0, queue_ms: float = 500.0, **piece: float) -> Link:
    return Link(LinkTrace((LinkPiece(**piece),), queue_ms), seed)  # type: ignore[arg-type]


def test_send_takes_the_delay_and_the_time_of_its_bits() -> None:
    slow = link(kbps=8, delay_ms=50)  # 1 byte each ms
    assert slow.send(100, 1.0) == pytest.approx(1.15)
    assert slow.send(100, 1.0) == pytest.approx(1.25)
    assert slow.send(100, 5.0) == pytest.approx(5.15)


def test_send_drops_what_would_wait_longer_than_the_queue_is() -> None:
    slow = link(kbps=8, queue_ms=250)
    arrivals = [slow.send(100, 0.0) for _ in range(5)]
    assert arrivals == [pytest.approx(0.1), pytest.approx(0.2), pytest.approx(0.3), None, None]
    assert (slow.sent, slow.lost, slow.bytes) == (5, 2, 500)


def test_send_a_change_of_rate_holds_in_the_middle_of_a_datagram() -> None:
    trace = LinkTrace((LinkPiece(0, 8), LinkPiece(1.0, 16)))
    assert Link(trace).send(100, 0.95) == pytest.approx(1.025)


def test_send_waits_for_the_end_of_an_outage_and_is_lost_where_there_is_none() -> None:
    trace = LinkTrace((LinkPiece(0, 80), LinkPiece(1, 0), LinkPiece(3, 80), LinkPiece(4, 0)), queue_ms=1500)
    line = Link(trace)
    assert line.send(10, 0.0) == pytest.approx(0.001)
    assert line.send(10, 1.2) is None
    assert line.send(10, 1.6) == pytest.approx(3.001)
    assert line.send(10, 5.0) is None


def test_send_loses_its_share_the_same_for_the_same_seed() -> None:
    runs = [[one.send(1, index) is None for index in range(5000)] for one in (link(7, loss=0.2), link(7, loss=0.2))]
    assert runs[0] == runs[1]
    assert sum(runs[0]) / 5000 == pytest.approx(0.2, abs=0.02)


def test_send_bursts_are_as_long_as_they_say() -> None:
    line = link(3, burst=0.02, burst_length=5)
    lost = "".join("x" if line.send(1, index) is None else "." for index in range(5000))
    runs = [len(run) for run in lost.split(".") if run]
    assert {run % 5 for run in runs} == {0}
    assert len(runs) == pytest.approx(5000 * 0.02 / 1.1, rel=0.3)


def test_send_jitter_stays_within_and_overtaking_reorders() -> None:
    line = link(1, delay_ms=50, jitter_ms=20)
    late_ms = [1000 * ((line.send(1, index) or 0) - index) for index in range(200)]
    assert 50 <= min(late_ms) < 52
    assert 68 < max(late_ms) <= 70
    line = link(1, delay_ms=50, overtaken=0.1)
    arrivals = [line.send(1, index * 0.06) or 0 for index in range(100)]
    assert arrivals != sorted(arrivals)


def test_scaled_changes_rates_only() -> None:
    trace = load_trace(LINKS / "step_to_20_kbps.json").scaled(0.5)
    assert [(piece.kbps, piece.delay_ms) for piece in trace.pieces] == [(500, 50), (10, 50), (500, 50)]


@pytest.mark.parametrize("path", sorted(LINKS.glob("*.json")), ids=lambda path: path.stem)
def test_load_trace_reads_all_that_are_stored(path: Path) -> None:
    trace = load_trace(path)
    assert trace.pieces[0].kbps < math.inf
    assert 20 < trace.pieces[0].delay_ms < 100


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"pieces": []}',
        '{"pieces": [{"time_s": 1}]}',
        '{"pieces": [{"time_s": 0, "loss": 2}]}',
        '{"pieces": [{"time_s": 0, "speed": 2}]}',
        '{"pieces": [{"time_s": 0, "kbps": "fast"}]}',
        '{"pieces": [{"time_s": 0}, {"time_s": 0}]}',
    ],
)
def test_load_trace_refuses_what_is_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "trace.json"
    path.write_text(content)
    with pytest.raises(TraceError):
        load_trace(path)
