"""packetise.py: which frames share a message, with the clock in the test's hands."""

import numpy as np
import pytest

from codec.codec_tables import CodecTables
from codec.decoder import Decoder
from codec.encoder import Encoder
from codec.motion import Motion
from codec.wire import Level
from sender.packetise import Packetiser
from sender.rate import Plan

TABLES = CodecTables.default(2)


def motion(time_s: float) -> Motion:
    return Motion(1.0, 2.0, 3.0, np.zeros(3, np.float32), np.zeros((2, 3), np.float32), time_s)


def messages(times_s: list[float], interval_s: float, period_s: float) -> list[tuple[float, int]]:
    """When messages leave, and with how many frames, if frames come at these times and the loop wakes when due."""
    packetiser = Packetiser(Encoder(TABLES), interval_s, period_s)
    sent = []
    for index, time_s in enumerate(times_s):
        packetiser.add(motion(time_s), time_s)
        wakes = [time_s]
        following_s = times_s[index + 1] if index + 1 < len(times_s) else 1e9
        if packetiser.due_s is not None and packetiser.due_s < following_s:
            wakes.append(packetiser.due_s)
        for now_s in wakes:
            if packetiser.due(now_s):
                sent.append((round(now_s, 3), packetiser.pack()[1]))
    return sent


def test_two_frames_of_25_fps_share_a_message_and_do_not_wait_for_a_third() -> None:
    times_s = [index / 25 for index in range(6)]
    assert messages(times_s, 0.06, 1 / 25) == [(0.04, 2), (0.12, 2), (0.2, 2)]


def test_two_frames_of_30_fps_share_a_message() -> None:
    times_s = [index / 30 for index in range(4)]
    assert messages(times_s, 0.06, 1 / 30) == [(0.033, 2), (0.1, 2)]


def test_unknown_rate_waits_for_the_interval() -> None:
    assert messages([0.0, 0.04, 0.2], 0.06, 0.0) == [(0.06, 2), (0.26, 1)]


def test_interval_of_zero_sends_each_frame_at_once() -> None:
    assert messages([0.0, 0.04], 0.0, 0.04) == [(0.0, 1), (0.04, 1)]


def test_message_is_never_fuller_than_the_format_allows() -> None:
    assert messages([index / 1000 for index in range(20)], 1.0, 0.001)[0] == (0.015, 16)


def test_pack_gives_what_was_added_and_counts_up() -> None:
    packetiser = Packetiser(Encoder(TABLES), 0.06, 0.04)
    decoder, decoded = Decoder(TABLES), []
    for start in (0, 2):
        for index in (start, start + 1):
            packetiser.add(motion(index * 0.04), index * 0.04)
        message, frames, _ = packetiser.pack()
        assert frames == 2
        decoded.append(decoder.decode(message))
    assert [message.sequence for message in decoded] == [0, 1]
    assert [frame.capture_time_s for message in decoded for frame in message.motions] == pytest.approx(
        [0, 0.04, 0.08, 0.12]
    )


def test_discard_uses_up_no_sequence_number() -> None:
    packetiser = Packetiser(Encoder(TABLES), 0.06, 0.04)
    packetiser.add(motion(0.0), 0.0)
    assert packetiser.discard() == 1
    assert packetiser.due_s is None
    assert not packetiser.due(100.0)
    packetiser.add(motion(1.0), 1.0)
    assert Decoder(TABLES).decode(packetiser.pack()[0]).sequence == 0


def test_follow_takes_interval_repeats_and_level_from_the_plan() -> None:
    encoder = Encoder(TABLES)
    packetiser, decoder = Packetiser(encoder, 0.06, 0.04), Decoder(TABLES)
    packetiser.follow(Plan(0.12, 2, 12.5, True, Level.LOW, None))
    lost = []
    for index in range(6):
        packetiser.add(motion(index * 0.08), index * 0.08)
        if packetiser.due(index * 0.08):
            lost.append(packetiser.pack())
    assert [packed.frames for packed in lost] == [2, 2, 2]
    message = decoder.decode(lost[2][0])
    assert message.level == Level.LOW
    assert [round(frame.capture_time_s, 2) for frame in message.repeated] == [0.08, 0.24]
