"""outgoing.py: what speech and silence cost on the line, and what becomes of the voice on a narrow one."""

import asyncio
import time

import numpy as np
import pytest

from call.outgoing import Outgoing
from codec.codec_tables import CodecTables
from sender.rate_ladder import HEADERS_BYTES
from sender.voice import Voice
from tests.receiver.sounds import tone
from tests.sender.test_send import Line

TABLES = CodecTables.default(20)


class OpenLine(Line):
    """Takes everything at once."""

    def send_media(self, message: bytes) -> None:
        super().send_media(message)
        self.media_waiting_bytes = 0


def outgoing(line: Line, max_kbps: float = 30.0) -> Outgoing:
    return Outgoing(line, TABLES, time.monotonic(), 30.0, lambda: None, lambda: None, max_kbps)


async def talk(out: Outgoing, voice: Voice, loudness: float, seconds: float) -> None:
    """A microphone with a tone of some loudness, for a while."""
    for _ in range(round(seconds / 0.06)):
        now_s = time.monotonic()
        for time_s, opus in voice.take(tone(0.06, loudness=loudness), now_s):
            out.add_sound(opus, time_s)
        await asyncio.sleep(0.06)


async def test_silence_saves_messages_and_bytes() -> None:
    """With the camera off: what is on the line is the voice alone."""
    line = OpenLine()
    out, voice = outgoing(line), Voice()
    running = asyncio.create_task(out.run())
    await talk(out, voice, 8000.0, 1.5)
    spoken = list(line.sent)
    await talk(out, voice, 0.0, 0.5)  # what fades out
    line.sent.clear()
    await talk(out, voice, 0.0, 1.5)
    running.cancel()
    assert len(spoken) >= 8
    assert line.sent == [], "nothing to say: `idle` on the other channel, three times a second"
    assert voice.silent >= 30
    saved = sum(len(message) + HEADERS_BYTES for message in spoken)
    assert saved > 1000


@pytest.mark.parametrize(("max_kbps", "told"), [(30.0, []), (18.0, [9_000]), (12.0, [6_000])])
async def test_voice_is_told_to_give_way(max_kbps: float, told: list[int]) -> None:
    line = OpenLine()
    out = outgoing(line, max_kbps)
    rates: list[int] = []
    out.on_voice = rates.append
    running = asyncio.create_task(out.run())
    await talk(out, Voice(), 8000.0, 1.2)
    running.cancel()
    assert rates == told


async def test_packet_of_no_opus_is_left_out() -> None:
    line = OpenLine()
    out = outgoing(line)
    running = asyncio.create_task(out.run())
    out.add_sound(b"x" * 300, time.monotonic())
    await asyncio.sleep(0.1)
    assert not running.done()
    running.cancel()
    assert (line.sent, out.sound.bad_packets) == ([], 1)
    assert np.isfinite(out.rate.predicted_kbps)
