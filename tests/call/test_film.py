"""film.py: a call's film holds pictures and sound at their times, in step, whatever the order in which they come."""

from pathlib import Path

import av
import numpy as np
import pytest

from call.film import FilmWriter
from codec.sound import SAMPLE_RATE
from sender.voice import Voice
from tests.receiver.sounds import beeps, onsets_s, sound_of


def test_film_holds_pictures_and_sound_at_their_times(tmp_path: Path) -> None:
    film = FilmWriter(tmp_path / "film.mp4", 25.0)
    packets = Voice().take(beeps(2.4, [0.06 * 5, 0.06 * 20]), 10.0)
    packets[3], packets[4] = packets[4], packets[3]  # one overtakes the other
    film.write(np.zeros((64, 64, 3), np.uint8), 10.0)
    for time_s, opus in packets:
        film.hear(opus, time_s)
    for index in range(1, 60):
        film.write(np.full((64, 64, 3), 4 * index, np.uint8), 10.0 + index / 25)
    film.close()
    with av.open(str(tmp_path / "film.mp4")) as container:
        times_s = [frame.time for frame in container.decode(video=0)]
    assert times_s == pytest.approx([index / 25 for index in range(60)], abs=0.002)
    sound = sound_of(tmp_path / "film.mp4")
    assert onsets_s(sound) == pytest.approx([0.3, 1.2], abs=0.015)
    assert np.abs(sound[round(0.6 * SAMPLE_RATE) : round(1.1 * SAMPLE_RATE)]).max() < 0.05
    figures = film.in_step.figures()
    assert figures is not None
    assert figures["in_window"] == 1.0
    assert abs(figures["median_ms"]) < 31


def test_film_of_what_was_only_heard_is_none(tmp_path: Path) -> None:
    film = FilmWriter(tmp_path / "film.mp4", 25.0)
    film.hear(b"no opus", 1.0)
    film.close()
    assert not (tmp_path / "film.mp4").exists()
