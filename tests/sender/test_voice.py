"""voice.py, clip_sound.py, sound_out.py: what is sent of a clip's sound, and when."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from codec.sound import PACKET_SAMPLES, SAMPLE_RATE, SoundPacket, unpack_sound
from receiver.show import VideoWriter
from sender.clip_sound import clip_sound, has_sound, play_sound
from sender.errors import InputError
from sender.rate import RateController
from sender.sound_out import SoundOut
from sender.voice import Voice
from tests.receiver.sounds import beeps, tone
from tests.sender.clips import make_clip


def sounding_clip(path: Path, sound: np.ndarray[tuple[int], np.dtype[np.int16]], at_s: float = 0.0) -> Path:
    """A grey clip of 25 fps with sound that begins at `at_s`."""
    writer = VideoWriter(path, 25.0, 20, sound=True)
    for index in range(round((at_s + len(sound) / SAMPLE_RATE) * 25)):
        writer.write(np.full((64, 64, 3), 90, np.uint8), index / 25)
    writer.hear(np.concatenate((np.zeros(round(at_s * SAMPLE_RATE), np.int16), sound)), 0.0)
    writer.close()
    return path


def test_voice_gives_packets_their_times_whatever_the_pieces() -> None:
    voice, sound = Voice(), tone(0.6)
    packets = [
        packet
        for start in range(0, len(sound), 1024)
        for packet in voice.take(sound[start : start + 1024], 5.0 + start / SAMPLE_RATE)
    ]
    assert [round(time_s, 6) for time_s, _ in packets] == [round(5.0 + 0.06 * index, 6) for index in range(10)]


def test_silence_is_not_coded_and_costs_nothing() -> None:
    """Speech with as much silence: half the packets, and the bytes that they would have taken."""
    sound = beeps(6.0, [0.0, 2.0, 4.0], beep_s=1.0)
    voice = Voice()
    packets = voice.take(sound, 0.0)
    always = Voice()
    always._worth = lambda piece: True  # type: ignore[method-assign]  # as libopus does it by itself
    all_packets = always.take(sound, 0.0)
    assert (voice.coded, voice.silent) == (len(packets), 100 - len(packets))
    assert len(all_packets) == 100
    assert 50 <= len(packets) <= 58
    saved = sum(len(opus) for _, opus in all_packets) - sum(len(opus) for _, opus in packets)
    assert saved > 0.2 * sum(len(opus) for _, opus in all_packets)
    times_s = np.array([time_s for time_s, _ in packets])
    assert not ((times_s > 1.2) & (times_s < 1.9)).any()
    assert ((times_s > 1.9) & (times_s < 2.05)).any(), "the first packet of a word is there"


def test_voice_takes_a_lower_rate_at_once() -> None:
    voice, chance = Voice(), np.random.default_rng(1)
    noise = np.asarray(chance.normal(0, 4000, 50 * PACKET_SAMPLES).clip(-32768, 32767), np.int16)

    def bytes_each() -> float:
        return float(np.mean([len(opus) for _, opus in voice.take(noise, 0.0)]))

    usual = bytes_each()
    voice.bit_rate = 6000
    assert bytes_each() < 0.65 * usual


def test_clip_sound_is_on_the_clock_of_its_pictures(tmp_path: Path) -> None:
    clip = sounding_clip(tmp_path / "clip.mp4", tone(1.0), at_s=0.4)
    first_s = next(time_s for time_s, samples in clip_sound(clip) if np.abs(samples).max() > 2000)
    assert first_s == pytest.approx(0.4, abs=0.03)
    assert has_sound(clip)


def test_clip_without_sound_gives_none(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    assert list(clip_sound(clip)) == []
    assert not has_sound(clip)


def test_clip_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_text("no clip")
    with pytest.raises(InputError, match="expected sound that can be read"):
        has_sound(tmp_path / "clip.mp4")


async def test_clip_is_heard_when_a_microphone_would_have_heard_it(tmp_path: Path) -> None:
    clip = sounding_clip(tmp_path / "clip.mp4", tone(0.6))
    loop = asyncio.get_running_loop()
    began: asyncio.Future[float] = loop.create_future()
    began.set_result(loop.time())
    came: list[tuple[float, float]] = []
    await play_sound(
        clip, Voice(), began, lambda opus, at_s: came.append((at_s, loop.time() - began.result())), loop.time
    )
    assert len(came) >= 9
    assert all(now_s >= at_s + 0.06 - 1e-3 for at_s, now_s in came)


def test_packets_go_once_and_twice_where_messages_are_lost() -> None:
    rate = RateController(30.0, 20, 30.0)
    out = SoundOut(rate)

    def section(time_ms: int) -> list[int]:
        out.add(SoundPacket(time_ms, b"opus"), time_ms / 1000)
        return [packet.time_ms for packet in unpack_sound(out.take(time_ms / 1000), time_ms)]

    assert [section(60), section(120)] == [[60], [120]]
    for index in range(50):
        rate.link.losses.add(index % 5 == 0)
    assert section(180) == [120, 180]
    assert rate.max_kbps == 42.0
    assert out.take(0.2) == b""
    for _ in range(200):
        rate.link.losses.add(False)
    assert section(240) == [240]
    assert rate.max_kbps == 30.0


def test_packet_that_no_section_can_hold_is_counted_and_left_out() -> None:
    out = SoundOut()
    out.add(SoundPacket(0, b"x" * 256), 0.0)
    assert (out.bad_packets, out.waiting) == (1, False)
