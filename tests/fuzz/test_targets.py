"""The fuzz targets under hypothesis: any bytes, and golden inputs that were changed, cut and put together anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import control, decoder, recording

Target = Callable[[bytes], None]
TARGETS = {"decoder": decoder, "recording": recording, "control": control}

# The machine may be busy: slowness is no failure.
thorough = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True, max_examples=150)


@st.composite
def changed(draw: st.DrawFn, inputs: Sequence[bytes]) -> bytes:
    """One of the inputs with a few bytes overwritten, cut out or put in."""
    data = bytearray(draw(st.sampled_from(inputs)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return bytes(data)


@pytest.mark.parametrize("name", TARGETS)
def test_seeds(name: str) -> None:
    for seed in TARGETS[name].seeds():
        TARGETS[name].target(seed)


@pytest.mark.parametrize("name", TARGETS)
@thorough
@given(st.data())
def test_any_bytes(name: str, data: st.DataObject) -> None:
    TARGETS[name].target(data.draw(st.binary(max_size=300)))


@pytest.mark.parametrize("name", ["recording", "control"])
@thorough
@given(st.data())
def test_changed_inputs(name: str, data: st.DataObject) -> None:
    TARGETS[name].target(data.draw(changed(TARGETS[name].seeds())))


@thorough
@given(st.lists(st.tuples(st.booleans(), st.one_of(*(changed(call) for call in decoder.golden_calls()))), max_size=8))
def test_changed_calls(call: list[tuple[bool, bytes]]) -> None:
    """Lengths stay right, so that what comes behind a changed message is still read."""
    decoder.target(b"".join(decoder.join([message], respell) for respell, message in call))


def test_a_call_is_split_as_it_was_joined() -> None:
    call = decoder.golden_calls()[0]
    assert list(decoder.split(decoder.join(call, respell=True))) == [(True, message) for message in call]


def test_a_mended_recording_is_read_whole() -> None:
    content = recording.VECTOR.read_bytes()
    spoilt = bytearray(content)
    spoilt[-4:] = bytes(4)
    assert recording.mended(bytes(spoilt)) == content
