"""opus.py and film.py: sound survives the codec, the packets are small, and a film has it at its time."""

from pathlib import Path

import av
import numpy as np
import pytest

from call.film import FilmWriter
from codec.errors import SoundError
from codec.sound import PACKET_SAMPLES, SAMPLE_RATE
from receiver.opus import OpusDecoder
from sender.clip_sound import clip_packets
from sender.opus import OpusEncoder

TONE_HZ = 400


def tone(seconds: float) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    """A sine, int16 at 48 kHz."""
    time_s = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.asarray(8000 * np.sin(2 * np.pi * TONE_HZ * time_s), np.int16)


def loudest_hz(samples: np.ndarray[tuple[int, ...], np.dtype[np.int16]]) -> float:
    """The frequency with most energy."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * SAMPLE_RATE / len(samples))


def test_pieces_of_any_length_become_packets_of_60_ms_in_12_kbps() -> None:
    encoder, decoder = OpusEncoder(), OpusDecoder()
    sound = tone(3.0)
    packets = [packet for start in range(0, len(sound), 1000) for packet in encoder.encode(sound[start : start + 1000])]
    assert len(packets) == 50
    assert 6 < sum(map(len, packets)) * 8 / 1000 / 3.0 < 18
    heard = np.concatenate([decoder.decode(packet) for packet in packets])
    assert len(heard) in range(len(sound) - PACKET_SAMPLES, len(sound) + 1)
    assert loudest_hz(heard[SAMPLE_RATE : 2 * SAMPLE_RATE]) == pytest.approx(TONE_HZ, abs=3)


def test_what_is_no_packet_is_refused() -> None:
    with pytest.raises(SoundError, match="expected an Opus packet"):
        OpusDecoder().decode(b"\xff" * 3)


def test_film_holds_pictures_and_sound_at_their_times(tmp_path: Path) -> None:
    film = FilmWriter(tmp_path / "film.mp4", 25.0)
    film.hear(tone(0.06), 10.0)
    for index in range(50):
        film.write(np.full((64, 64, 3), 4 * index, np.uint8), 10.0 + index / 25)
    for index in range(10, 30):  # half a second of silence, then sound
        film.hear(tone(0.06), 10.0 + 0.06 * index)
    film.close()
    with av.open(str(tmp_path / "film.mp4")) as container:
        times_s = [frame.time for frame in container.decode(video=0)]
    assert times_s == pytest.approx([index / 25 for index in range(50)], abs=0.002)
    loud = []
    with av.open(str(tmp_path / "film.mp4")) as container:
        for frame in container.decode(audio=0):
            loud += [(float(frame.time or 0), float(np.abs(frame.to_ndarray()).max()))]
    assert max(level for time_s, level in loud if 0.15 < time_s < 0.5) < 0.05
    assert min(level for time_s, level in loud if 0.7 < time_s < 1.6) > 0.1


def test_packets_of_a_clip_carry_its_times(tmp_path: Path) -> None:
    film = FilmWriter(tmp_path / "clip.mp4", 25.0)
    for index in range(25):
        film.write(np.full((64, 64, 3), 90, np.uint8), index / 25)
    for index in range(16):
        film.hear(tone(0.06), 0.06 * index)
    film.close()
    packets = list(clip_packets(tmp_path / "clip.mp4"))
    assert [time_s for time_s, _ in packets][:3] == pytest.approx([0.0, 0.06, 0.12], abs=0.03)
    assert len(packets) in (15, 16, 17)
