"""What the call costs and how it goes, each half second, from counters that others keep."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from call.page_messages import Stats
from call.states import State

if TYPE_CHECKING:
    from call.engine import Engine

WINDOW_S: Final = 3.0

H264_PICTURE_KBPS: Final = 36.4
"""What x264 takes on the wire for pictures like ours, 256 px, 27 frames a second: research/codec_anchors.md, table 1.
Our pictures of people never seen have LPIPS 0.115 (models/weights/README.md). x264 `medium` has 0.093 at 41.3 kbps and
0.129 at 34.4 kbps; between them, in log rate: 36.9 kbps. `veryfast` with `zerolatency`, which a call would use, lies at
0.094 for 39.9 and 0.172 for 26.6: 35.8 kbps. The mean. Each frame counts 50 B of headers, as RTP over UDP has them."""
OPUS_RTP_KBPS: Final = 18.7
"""The same sound, Opus of 12 kbps in packets of 60 ms, as RTP (research/ecosystem.md 1.3, measured)."""
H264_KBPS: Final = round(H264_PICTURE_KBPS + OPUS_RTP_KBPS, 1)
"""What the page shows. LPIPS is one measure: a synthesised picture is sharper, and sometimes wrong; H.264's is soft."""


class Sample(NamedTuple):
    """Counters at a time, since the engine began."""

    time_s: float
    wire_in: int
    wire_out: int
    payload_in: int
    payload_out: int
    shown: int
    sent: int


@dataclass
class Totals:
    """Sums over the connections of a call that have ended."""

    wire_in: int = 0
    wire_out: int = 0
    payload_in: int = 0
    payload_out: int = 0
    sent: int = 0


class StatsMaker:
    """Samples the engine's counters and makes rates of them, over the last three seconds."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._samples: deque[Sample] = deque()
        self._totals = Totals()
        self._last: tuple[object, Sample] | None = None

    async def run(self, each_s: float) -> None:
        """Tell the page until cancelled."""
        while True:
            await asyncio.sleep(each_s)
            self.sample()
            if self._engine.progress.state not in (State.STARTING, State.WAITING):
                self._engine.front.tell(self.make())

    def sample(self) -> Sample:
        """Note the counters as of now."""
        now_s = self._engine.now()
        sample = self._read(now_s)
        self._samples.append(sample)
        while len(self._samples) > 2 and self._samples[1].time_s <= now_s - WINDOW_S:
            self._samples.popleft()
        return sample

    def _read(self, now_s: float) -> Sample:
        """Counters of this connection on top of those of the ones before it."""
        engine, totals = self._engine, self._totals
        conversation = engine.conversation
        if self._last is not None and self._last[0] is not conversation:
            last = self._last[1]
            totals.wire_in, totals.wire_out = last.wire_in, last.wire_out
            totals.payload_in, totals.payload_out, totals.sent = last.payload_in, last.payload_out, last.sent
            self._last = None
        if conversation is None:
            return Sample(
                now_s,
                totals.wire_in,
                totals.wire_out,
                totals.payload_in,
                totals.payload_out,
                engine.screen.frames,
                totals.sent,
            )
        tap, sender = conversation.peer.tap, conversation.outgoing.sender
        sample = Sample(
            now_s,
            totals.wire_in + tap.received.bytes,
            totals.wire_out + tap.sent.bytes,
            totals.payload_in + conversation.incoming.payload_bytes,
            totals.payload_out + sender.payload_bytes,
            engine.screen.frames,
            totals.sent + sender.frames,
        )
        self._last = (conversation, sample)
        return sample

    def make(self) -> Stats:
        """Rates between the oldest and the newest sample."""
        old, new = self._samples[0], self._samples[-1]
        elapsed_s = max(new.time_s - old.time_s, 1e-3)

        def kbps(before: int, after: int) -> float:
            return round((after - before) * 8 / 1000 / elapsed_s, 1)

        conversation = self._engine.conversation
        return Stats(
            wire_kbps_in=kbps(old.wire_in, new.wire_in),
            wire_kbps_out=kbps(old.wire_out, new.wire_out),
            payload_kbps_in=kbps(old.payload_in, new.payload_in),
            payload_kbps_out=kbps(old.payload_out, new.payload_out),
            loss=round(conversation.incoming.loss, 3) if conversation else 0.0,
            delay_ms=self._delay_ms(),
            fps_in=round((new.shown - old.shown) / elapsed_s, 1),
            fps_out=round((new.sent - old.sent) / elapsed_s, 1),
            h264_kbps=H264_KBPS,
        )

    def whole_call(self) -> dict[str, Any]:
        """What the call came to, as JSON has it."""
        engine, total = self._engine, self.sample()
        return {
            "model_id": engine.model.model_id,
            "ended": engine.progress.reason,
            "duration_s": round(total.time_s, 3),
            "way": engine.way,
            "joined_s": engine.joined_s,
            "first_picture_s": engine.screen.first_s,
            "wire_bytes_in": total.wire_in,
            "wire_bytes_out": total.wire_out,
            "payload_bytes_in": total.payload_in,
            "payload_bytes_out": total.payload_out,
            "frames_shown": total.shown,
            "frames_sent": total.sent,
            "frames_captured": engine.watching.frames.put_count,
            "frames_dropped": engine.watching.frames.dropped,
            "source_pictures_renewed": engine.own.renewals,
            "extract_ms": engine.watching.times.percentiles_ms("extract"),
            "render_ms": engine.screen.times.percentiles_ms("render"),
        }

    def _delay_ms(self) -> float | None:
        conversation = self._engine.conversation
        rtt_s = conversation.outgoing.rate.link.rtt_s if conversation else None
        if conversation is None or rtt_s is None:
            return None
        rendering_ms = self._engine.screen.times.percentiles_ms("render")["p50"] or 0.0
        return round(500 * rtt_s + conversation.incoming.smoother.delay_ms + rendering_ms, 1)
