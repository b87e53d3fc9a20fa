"""sound_in.py and in_step.py: packets in order and once, and how far sound is from its picture."""

import numpy as np
import pytest

from codec.decoder import MediaMessage
from codec.motion import Motion
from codec.sound import SoundPacket, pack_sound
from receiver.in_step import InStep
from receiver.sound_in import SoundReader, SoundStore


def message(times_ms: list[int], frame_ms: int | None = None) -> MediaMessage:
    """A message with packets of these times, and perhaps a frame."""
    sound = pack_sound([SoundPacket(time_ms, bytes([time_ms % 251 + 1])) for time_ms in times_ms])
    motion = Motion(0.0, 0.0, 0.0, np.zeros(3, np.float32), np.zeros((2, 3), np.float32), (frame_ms or 0) / 1000)
    return MediaMessage(0, () if frame_ms is None else (motion,), sound=sound)


def test_reader_gives_each_packet_once_with_its_number_and_its_time() -> None:
    reader = SoundReader()
    came = [reader.take(one) for one in (message([60, 120], 130), message([120, 180], 190), message([], 200))]
    assert [[(number, packet.time_ms) for number, packet in taken] for taken in came] == [
        [(0, 60), (1, 120)],
        [(2, 180)],
        [],
    ]
    assert reader.packets == 3


def test_reader_finds_the_time_by_the_frames_beside_it() -> None:
    assert SoundReader().take(message([99_960], 100_000))[0][1].time_ms == 99_960


def test_reader_counts_a_section_that_is_none_and_goes_on() -> None:
    reader = SoundReader()
    assert reader.take(MediaMessage(0, (), sound=b"\x40\x00\x01")) == []
    assert (reader.bad_sections, len(reader.take(message([60])))) == (1, 1)


def test_store_gives_in_order_what_the_picture_has_come_to() -> None:
    store = SoundStore()
    for time_ms in (120, 60, 240, 180):
        store.put(SoundPacket(time_ms, b"x"))
    assert [packet.time_ms for packet in store.until(0.19)] == [60, 120, 180]
    store.put(SoundPacket(120, b"x"))
    assert store.late == 1
    store.put(SoundPacket(300, b"x"))
    assert [packet.time_ms for packet in store.rest()] == [240, 300]


def test_in_step_tells_by_how_much_sound_is_late() -> None:
    step = InStep()
    step.sound(0.0, 0.3)  # no picture yet
    assert step.figures() is None
    step.picture(1.0, 1.2)
    for late_s in (-0.05, 0.0, 0.1, 0.13):
        step.sound(1.0, 1.2 + late_s)
    assert step.figures() == {"least_ms": -50.0, "median_ms": pytest.approx(50.0), "most_ms": 130.0, "in_window": 0.5}
