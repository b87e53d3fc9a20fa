"""What a message says besides motion: comes back as it went in, costs little where it is as usual."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec import Acknowledgement, WireError
from codec.fields import (
    BYTE,
    COUNT,
    JITTER,
    SAME,
    Links,
    code_answer,
    code_gap,
    code_links,
    code_number,
    code_period,
    later,
    usual_spacing,
)
from codec.symbols import SymbolCoder, SymbolReader, SymbolWriter

T = TypeVar("T")
ANSWERS = st.one_of(
    st.none(),
    st.just(Acknowledgement(-1, 0, lacking=True)),
    st.builds(Acknowledgement, st.integers(0, 1023), st.integers(0, 0xFFFF), st.booleans()),
)


def through(code: Callable[[SymbolCoder, T], T], value: T, blank: T) -> tuple[T, int]:
    """What a reader finds that is given `blank`, and the bytes it took."""
    writer = SymbolWriter()
    assert code(writer, value) == value
    data = writer.finish()
    reader = SymbolReader(data)
    found = code(reader, blank)
    reader.finish()
    return found, len(data)


@given(ANSWERS)
def test_answer(answer: Acknowledgement | None) -> None:
    assert through(code_answer, answer, None)[0] == answer


def test_usual_answer_is_short() -> None:
    assert through(code_answer, Acknowledgement(700, 0xFFFF), None)[1] == 2
    assert through(code_answer, None, None)[1] <= 1


@given(st.booleans(), st.lists(st.integers(1, 64), max_size=16))
def test_links(builds: bool, steps: list[int]) -> None:
    if len(steps) - builds in range(16):
        links = Links(builds, tuple(steps))
        assert through(code_links, links, Links(False, ()))[0] == links


@given(st.integers(0, 2**32 - 1), st.integers(1, 255))
def test_gap(gap_ms: int, period_ms: int) -> None:
    found, size = through(lambda coder, gap: code_gap(coder, gap, period_ms), gap_ms, 0)
    assert found == gap_ms
    assert size <= 5
    if abs(gap_ms - period_ms) <= 1:
        assert size <= 1


def test_gap_before_zero_is_refused() -> None:
    writer = SymbolWriter()
    writer.code(1, COUNT)
    writer.code(0, JITTER)  # 8 ms less than one spacing
    with pytest.raises(WireError, match="got one 7 ms before the last"):
        code_gap(SymbolReader(writer.finish()), 0, 1)


@given(st.integers(1, 255), st.integers(0, 255))
def test_period(period_ms: int, before_ms: int) -> None:
    assert through(lambda coder, period: code_period(coder, period, before_ms), period_ms, 1)[0] == period_ms


def test_period_of_zero_is_refused() -> None:
    writer = SymbolWriter()
    writer.code(1, SAME)
    writer.code(0, BYTE)
    with pytest.raises(WireError, match="1 to 255 ms, got 0"):
        code_period(SymbolReader(writer.finish()), 1, 40)


@given(st.integers(0, 2**32 - 1))
def test_number(number: int) -> None:
    assert through(lambda coder, n: code_number(coder, n, 4), number, 0)[0] == number


def test_time_above_the_limit() -> None:
    assert later(4294967290, 5) == 4294967295
    with pytest.raises(WireError, match="up to 4294967295 ms, got 4294967296 ms"):
        later(4294967290, 6)


@pytest.mark.parametrize(
    ("times_ms", "before_ms", "expected"),
    [
        ([0], 0, 40),
        ([0, 33], 0, 33),
        ([0, 0], 0, 1),
        ([0, 900], 0, 255),
        ([0, 33, 67, 100, 133], 40, 33),
        ([0, 40, 80, 120, 153], 40, 40),  # one short gap changes nothing
        ([0, 33, 67, 167, 200], 40, 40),  # nor do gaps that do not agree
        ([0, 39, 80, 121, 160], 40, 40),  # nor what jitter says as well
    ],
)
def test_usual_spacing(times_ms: list[int], before_ms: int, expected: int) -> None:
    assert usual_spacing(times_ms, before_ms) == expected
