"""What leaves on one connection: frames and sound gather, and a message takes them when it is time.

Sound sets the pace while somebody talks: its packets come each 60 ms, a message leaves with each, frames ride along.
Without sound the frames of an interval are gathered. When there is nothing to say a small message still tells the other
side that we are here. The rate controller says how long the interval is, and what else to give up (sender/rate.py).
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from codec.acknowledgement import Acknowledgement
from codec.codec_tables import CodecTables
from codec.encoder import Encoder
from codec.motion import Motion
from codec.sound import PACKET_MS, SoundPacket
from codec.wire import MAX_FRAMES
from sender.rate import Plan, RateController
from sender.send import MediaLine, MediaSender
from sender.sound_out import LATE_S, SoundOut
from signaling.stages import StageTimes

KEEP_ALIVE_S: Final = 0.35
SLACK_S: Final = 0.008
"""Clocks of camera, microphone and ours do not agree: what is due by less than this goes now."""
LEAST_S: Final = 0.015
THINNED: Final = 0.75
"""Of the spacing that is asked for: a frame that comes so long after the last one is taken."""


class Outgoing:
    """One direction of one connection. Times come by the engine's clock and count from `begin_s` on the wire."""

    def __init__(
        self,
        line: MediaLine,
        tables: CodecTables,
        begin_s: float,
        frame_rate: float,
        acknowledgement: Callable[[], Acknowledgement | None],
        say_idle: Callable[[], None],
        max_kbps: float = 30.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args: acknowledgement: what to tell of the other direction, as of now. say_idle: says on the other channel
        that we are here, while there is nothing at all for this one.
        """
        self.sender = MediaSender(line)
        self.rate = RateController(frame_rate, tables.keypoints, max_kbps)
        self.times = StageTimes("encode")
        self.frames_dropped = 0
        self.on_sent: Callable[[bytes], None] = lambda message: None
        """Called with each message that carries motion, for the picture of oneself."""
        self.on_voice: Callable[[int], None] = lambda bits_per_s: None
        """Called with the rate that the voice is to be coded at, when it changes."""
        self.sound = SoundOut(self.rate)
        self._encoder = Encoder(tables)
        self._acknowledgement = acknowledgement
        self._say_idle = say_idle
        self._now = now
        self._begin_s = begin_s
        self._frames: list[Motion] = []
        self._sent_s = self._began_s = now()
        self._owes = False
        self._last_frame_s = -1.0
        self.plan: Plan = self.rate.plan(now())
        self._changed = asyncio.Event()

    def set_source(self, x_c: NDArray[np.float32]) -> None:
        """Take the canonical keypoints [K,3] of the picture that the next frames' motion is told against."""
        self._encoder.set_source(x_c)

    def add_motion(self, motion: Motion) -> None:
        """Take a frame; some are left out where the rate controller wants fewer."""
        time_s = motion.capture_time_s - self._begin_s
        too_soon_s = THINNED / self.plan.frame_rate if self.plan.thin else 0.0
        if time_s < 0 or time_s <= self._last_frame_s or time_s - self._last_frame_s < too_soon_s:
            self.frames_dropped += time_s >= 0
            return
        self._last_frame_s = time_s
        if not self._frames:
            self._began_s = self._now()
        self._frames.append(replace(motion, capture_time_s=time_s))
        self._changed.set()

    def add_sound(self, opus: bytes, time_s: float) -> None:
        """Take an Opus packet of 60 ms, captured at `time_s`; the oldest goes where they pile up."""
        time_ms = round((time_s - self._begin_s) * 1000)
        if time_ms < 0:
            return
        self.sound.add(SoundPacket(time_ms, opus), self._now())
        self._changed.set()

    def acknowledged(self, acknowledgement: Acknowledgement) -> None:
        """Take what the other side says of our messages."""
        self._encoder.take_acknowledgement(acknowledgement)
        self.rate.acknowledged(acknowledgement, self._now())

    def owe_acknowledgement(self) -> None:
        """Say that the next message is to carry an acknowledgement, and that one should go soon."""
        self._owes = True
        self._changed.set()

    async def run(self) -> None:
        """Send until cancelled. Raises PeerGone."""
        while True:
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._due_s() - self._now())):
                    await self._changed.wait()
            if self._now() >= self._due_s():
                self._send()

    def _due_s(self) -> float:
        """When the next message is to leave, as far as is known now."""
        interval_s = self.plan.interval_s
        early_s = self._sent_s + interval_s - SLACK_S
        flows = self.sound.flows(self._now())
        if len(self._frames) >= MAX_FRAMES:
            return self._now()
        if self._owes:
            return self._sent_s + LEAST_S  # the other side takes the time it waits for a queue
        if self.sound.waiting:
            return early_s
        if self._frames:
            waits_for_sound = flows and interval_s >= 0.75 * PACKET_MS / 1000
            gathered_s = max(early_s, self._began_s + (0.0 if flows else interval_s - SLACK_S - self._period_s()))
            return gathered_s + (LATE_S if waits_for_sound else 0.0)
        return self._sent_s + KEEP_ALIVE_S

    def _period_s(self) -> float:
        return 1.0 / self.plan.frame_rate if self.plan.frame_rate else 0.0

    def _send(self) -> None:
        now_s = self._now()
        before, self.plan = self.plan, self.rate.plan(now_s)
        plan = self.plan
        if plan.voice_bps != before.voice_bps:
            self.on_voice(plan.voice_bps)
        self._sent_s = now_s
        if self.sender.congested:
            self.frames_dropped += len(self._frames)
            self._frames = []
            self.sound.keep_newest()
            return
        frames, self._frames = self._frames[:MAX_FRAMES], []
        section = self.sound.take(now_s)
        acknowledgement = self._acknowledgement() if self._owes or not (frames or section) else None
        if not (frames or section or acknowledgement):
            self._say_idle()
            return
        self._owes = False
        self._encoder.level = plan.level
        with self.times.measure("encode"):
            message = self._encoder.encode(frames, repeat=plan.repeat, acknowledge=acknowledgement, sound=section)
        self.sender.send(message, len(frames))
        self.rate.sent(len(message), len(frames), now_s, len(section))
        if frames:
            self.on_sent(message)
