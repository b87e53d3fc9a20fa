"""opus.py of both ends: sound survives the codec, and the packets are small."""

import numpy as np
import pytest

from codec.errors import SoundError
from codec.sound import PACKET_SAMPLES, SAMPLE_RATE
from receiver.opus import DELAY_S, OpusDecoder
from sender.opus import OpusEncoder
from tests.receiver.sounds import TONE_HZ, click, loudest_hz, tone


def test_pieces_of_any_length_become_packets_of_60_ms_in_12_kbps() -> None:
    encoder, decoder = OpusEncoder(), OpusDecoder()
    sound = tone(3.0)
    packets = [packet for start in range(0, len(sound), 1000) for packet in encoder.encode(sound[start : start + 1000])]
    assert len(packets) == 50
    assert 6 < sum(map(len, packets)) * 8 / 1000 / 3.0 < 18
    heard = np.concatenate([decoder.decode(packet) for packet in packets])
    assert len(heard) in range(len(sound) - PACKET_SAMPLES, len(sound) + 1)
    assert loudest_hz(heard[SAMPLE_RATE : 2 * SAMPLE_RATE]) == pytest.approx(TONE_HZ, abs=3)


def test_what_is_decoded_lies_behind_by_the_stated_delay() -> None:
    encoder, decoder = OpusEncoder(24_000), OpusDecoder()
    sound = click(1.5, 0.7)
    heard = np.concatenate([decoder.decode(packet) for packet in encoder.encode(sound)])
    loudest_s = float(np.abs(heard.astype(int)).argmax()) / SAMPLE_RATE
    assert loudest_s - DELAY_S == pytest.approx(0.7, abs=0.004)


def test_what_is_no_packet_is_refused() -> None:
    with pytest.raises(SoundError, match="expected an Opus packet"):
        OpusDecoder().decode(b"\xff" * 3)
    assert len(OpusDecoder().decode_or_nothing(b"\xff" * 3)) == 0
