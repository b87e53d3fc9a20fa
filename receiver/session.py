"""One call, from the receiver's side: join, agree, take the source picture, run the loops, write everything whole."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from codec.decoder import Decoder
from codec.errors import CodecError
from codec.motion import Motion
from codec.recording import check_recording
from codec.recording_records import Direction
from codec.wire import WIRE_VERSION
from models.weights import Model
from receiver.acknowledge import answer_by
from receiver.channel import Inbox
from receiver.collect import Collector
from receiver.decode import CountingDecoder
from receiver.errors import NothingCame, ReceiverError
from receiver.pipeline import ReceiverPipeline
from receiver.render import FaceRenderer
from receiver.report import ReceiveReport
from receiver.settings import ReceiveSettings
from receiver.show import VideoWriter, check_output
from receiver.source import SourceCache, decode_source, readable
from signaling.client import SignalingClient
from signaling.control import agree
from signaling.control_messages import Bye, Hello, Recording, SourceReady, Start
from signaling.dropping_queue import DroppingQueue
from signaling.errors import ControlError, Mismatch, PeerGone
from signaling.peer import MakePeer, Peer, answer_sender
from signaling.recorder import CallRecorder, LinkFigures
from signaling.reporting import report_call
from signaling.source_transfer import receive_source
from signaling.stages import StageTimes
from signaling.tasks import first_to_end
from signaling.terminal import show_progress
from signaling.watch import wait_bye, watch_peer
from signaling.ways import Ways

START_TIMEOUT_S = 30.0
STRAGGLERS_S = 0.5
"""How long media may still come after the sender's goodbye, which travels on another channel."""
BYE_TIMEOUT_S = 2.0


class ReceiveSession:
    """Owns everything that a call needs and gives it back; `report` tells of it, also after an error."""

    def __init__(
        self,
        settings: ReceiveSettings,
        room: str,
        output: Path,
        model: Model,
        record: Path | None = None,
        say: Callable[[str], None] = lambda line: None,
        make_peer: MakePeer | None = None,
        now: Callable[[], float] = time.monotonic,
        token: str | None = None,
        ways: Ways | None = None,
    ) -> None:
        """Prepare a call.

        Args: token: what the room's link has after its #. ways: STUN and TURN servers; None: those of the environment.
        Raises SettingError.
        """
        self.report = ReceiveReport(model_id=model.model_id)
        self._settings = settings
        self._room = room
        self._output = output
        self._model = model
        self._record = record
        self._recorder: CallRecorder | None = None
        self._say = say
        self._ways = ways or Ways()
        self._make_peer = make_peer or self._ways.make_peer
        self._token = token
        self._now = now
        self._times = StageTimes("decode", "render")
        self._renderer = FaceRenderer(model, self._times, settings.look)
        cache = settings.source_cache
        self._cache = SourceCache(cache, settings.source_cache_files) if cache else None

    async def run(self) -> None:
        """Take the call. Raises ReceiverError, SignalingError, CodecError, after what came has been written whole."""
        try:
            check_output(self._output)
            if self._record is not None:
                check_recording(self._record)
            server = self._settings.server
            async with await SignalingClient.join(server, self._room, "receiver", token=self._token) as client:
                await self._ways.learn(server, self._token)
                if not client.peer_present:
                    self._say(f"waiting in room '{self._room}' for a sender (up to {self._settings.wait_s:g} s)")
                peer = await answer_sender(client, self._make_peer, self._settings.wait_s)
                try:
                    await self._talk(client, peer)
                finally:
                    self.report.take_wire(peer.tap, peer.relayed)
                    await peer.close()
        except asyncio.CancelledError:
            self.report.ended = "stopped at the receiver"
            raise
        except Exception as error:
            self.report.ended = str(error)
            raise
        finally:
            self.report.take_times(self._times)
            self._renderer.close()

    async def _talk(self, client: SignalingClient, peer: Peer) -> None:
        try:
            try:
                self._begin_recording(peer)
                await first_to_end(self._begin(peer), watch_peer(peer, client, lambda: None))
            except (Mismatch, ControlError, ReceiverError, CodecError) as error:
                await peer.control.refuse(str(error))
                raise
            await self._receive_frames(client, peer)
        finally:
            if self._recorder is not None:
                self._recorder.close()

    def _begin_recording(self, peer: Peer) -> None:
        """Raises RecordingError for one that cannot be written: better now than after the call."""
        if self._record is not None:
            tables_sha256 = self._model.codec_tables.sha256
            self._recorder = CallRecorder(self._record, self._model.model_id, tables_sha256, self._now)
            self._recorder.attach(peer)

    async def _begin(self, peer: Peer) -> None:
        """Make sure that the two sides fit, and get ready to render."""
        hello = Hello(
            role="receiver",
            codec_format=WIRE_VERSION,
            model_id=self._model.model_id,
            tables_sha256=self._model.codec_tables.sha256,
            picture_px=self._settings.size or 0,
            pictures=readable(),
        )
        await agree(peer.control, hello)
        await self._take_source(peer)

    async def _take_source(self, peer: Peer) -> None:
        """Get the source picture into the renderer, and into the recording."""
        find = self._cache.find if self._cache else lambda sha256: None
        begin, picture, self.report.source_bytes = await receive_source(peer.control, find)
        size = self._model.config.size
        image = await self._renderer.in_thread(lambda: decode_source(picture, begin.mime, size))
        await self._renderer.set_source(image)
        if self._cache:
            self._cache.keep(picture)
        self._source = begin
        if self._recorder is not None:
            self._recorder.source(Direction.RECEIVED, picture, begin.mime)

    async def _receive_frames(self, client: SignalingClient, peer: Peer) -> None:
        inbox = Inbox(self._settings.inbox_messages, now=self._now)
        peer.on_media = inbox.take  # before the sender hears that we are ready: media may overtake `start`
        peer.control.send(SourceReady(sha256=self._source.sha256))
        start = await first_to_end(peer.control.expect(Start, START_TIMEOUT_S), watch_peer(peer, client, lambda: None))
        self.report.take_setup(peer.tap)
        self._say(f"receiving from room '{self._room}' into {self._output}")
        if self._recorder is not None:
            peer.control.send(Recording(on=True))
        pipeline = self._build_pipeline(inbox, start)
        pipeline.answer = answer_by(peer.send_media, self._model.codec_tables)
        loops = [
            asyncio.create_task(pipeline.collect(), name="collect"),
            asyncio.create_task(pipeline.show(), name="show"),
            asyncio.create_task(pipeline.play(), name="play"),
        ]
        keeping = asyncio.create_task(self._keep_statistics(pipeline), name="statistics")
        try:
            gone = await self._until_the_end(client, peer, pipeline, loops)
            inbox.end()
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            if self._recorder is not None:
                self._recorder.detach()  # what comes now is not part of the call
            self._say_what_waits(pipeline)
            await asyncio.gather(*loops)
        finally:
            for loop in (*loops, keeping):
                loop.cancel()
            await asyncio.gather(*loops, keeping, return_exceptions=True)
            await self._renderer.in_thread(pipeline.writer.close)
            self.report.take_counts(pipeline)
        self._judge(pipeline, gone)

    async def _until_the_end(
        self,
        client: SignalingClient,
        peer: Peer,
        pipeline: ReceiverPipeline,
        loops: list["asyncio.Task[None]"],
    ) -> PeerGone | None:
        """Wait until the sender hangs up, and hang up, too. Returns the error when it is gone without a goodbye."""
        start_s = self._now()

        def count() -> str:
            self.report.duration_s = round(self._now() - start_s, 3)
            self.report.take_counts(pipeline)
            self.report.take_wire(peer.tap, peer.relayed)
            return self.report.line()

        reason = "stopped at the receiver"
        try:
            bye = await first_to_end(
                wait_bye(peer.control, pipeline.crops.add, self._say_recorded),
                watch_peer(peer, client, lambda: peer.heard_s, self._now),
                _raise_first_error(loops),
                show_progress(count),
                report_call(client, peer),
            )
            count()
            await self._wait_for_stragglers(pipeline.inbox, bye)
            self.report.frames_announced = bye.frames
            self.report.ended = f"the sender hung up: {bye.reason}"
            reason = "all received"
        except PeerGone as gone:
            return gone
        except (ReceiverError, ControlError) as error:
            reason = str(error)
            raise
        finally:
            count()
            await self._hang_up(peer, reason)
        return None

    async def _wait_for_stragglers(self, inbox: Inbox, bye: Bye) -> None:
        deadline_s = self._now() + STRAGGLERS_S
        while inbox.waiting.put_count < bye.messages and self._now() < deadline_s:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async def _hang_up(self, peer: Peer, reason: str) -> None:
        """Say goodbye and wait until the sender closes: closing first would throw the goodbye away."""
        counts = self.report
        with suppress(PeerGone, TimeoutError):
            peer.control.send(
                Bye(frames=counts.frames_received, messages=counts.messages_received, reason=reason[:500])
            )
            async with asyncio.timeout(BYE_TIMEOUT_S):
                await peer.closed.wait()

    async def _keep_statistics(self, pipeline: ReceiverPipeline) -> None:
        def read() -> LinkFigures:
            collector = pipeline.collector
            lost = collector.missing / max(1, collector.missing + collector.received)
            return LinkFigures(loss_received=lost, playout_delay_s=pipeline.smoother.delay_ms / 1000)

        if self._recorder is not None:
            await self._recorder.keep_statistics(read)

    def _say_recorded(self, message: Recording) -> None:
        self._say("the sender records this call" if message.on else "the sender records no more")

    def _say_what_waits(self, pipeline: ReceiverPipeline) -> None:
        if len(pipeline.motions) > 1:
            self._say(f"rendering the last {len(pipeline.motions)} frames")

    def _judge(self, pipeline: ReceiverPipeline, gone: PeerGone | None) -> None:
        """Raise what was wrong with the call, now that everything is written."""
        shown = pipeline.frames_shown
        if gone is not None:
            what = (
                f"{shown} frames came before that and are in {self._output}" if shown else "no frame came before that"
            )
            raise PeerGone(f"{gone}: {what}")
        if self._recorder is not None and self._recorder.error is not None:
            raise self._recorder.error
        if not shown:
            raise NothingCame(
                f"expected at least one frame to show, none came of the {self.report.frames_announced} that were sent"
            )

    def _build_pipeline(self, inbox: Inbox, start: Start) -> ReceiverPipeline:
        motions: DroppingQueue[Motion] = DroppingQueue(self._settings.render_queue_frames)
        return ReceiverPipeline(
            inbox=inbox,
            decoder=CountingDecoder(Decoder(self._model.codec_tables), self._times),
            collector=Collector(self._settings.reorder_hold_ms / 1000, start.first_sequence),
            motions=motions,
            renderer=self._renderer,
            writer=VideoWriter(self._output, start.frame_rate, self._settings.video_crf, start.sound),
            live=self._settings.live,
            show_fps=self._settings.show_fps,
            now=self._now,
        )


async def _raise_first_error(loops: list["asyncio.Task[None]"]) -> Bye:
    """Raise what ends one of the loops during the call; they do not end by themselves."""
    done, _ = await asyncio.wait(loops, return_when=asyncio.FIRST_COMPLETED)
    for loop in done:
        loop.result()
    raise AssertionError("a loop of the receiver ended before its input")
