"""One call, from the sender's side: find the face, join, agree, send the source picture, run the loop, say goodbye."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from codec.decoder import Decoder
from codec.errors import RecordingError
from codec.recording_records import Direction
from codec.wire import WIRE_VERSION
from models.face_finder import FaceFinder
from models.face_finder_weights import load_finder
from models.weights import Model
from sender.camera import Frame, FrameSource, Image, film, open_source
from sender.clip_sound import has_sound, play_sound
from sender.crop_watch import FaceWatch
from sender.extract import Extractor
from sender.feedback import Feedback
from sender.parts import Parts
from sender.pipeline import SenderPipeline
from sender.rate import RateController
from sender.report import SendReport
from sender.settings import SendSettings
from sender.source import LARGE_QUALITY, MIME, Source, decode_picture, encode_picture, find_source
from sender.voice import Voice
from signaling.client import SignalingClient
from signaling.control import agree
from signaling.control_messages import Bye, Hello, Recording, Start
from signaling.dropping_queue import DroppingQueue
from signaling.errors import ControlError, Mismatch, PeerGone
from signaling.peer import MakePeer, Peer, call_receiver
from signaling.recorder import CallRecorder, LinkFigures
from signaling.reporting import report_call
from signaling.source_transfer import send_source
from signaling.stages import StageTimes
from signaling.tasks import first_to_end
from signaling.terminal import show_progress
from signaling.watch import wait_bye, watch_peer
from signaling.ways import Ways

RENDERER_READY_TIMEOUT_S = 30.0
BYE_TIMEOUT_S = 3.0
LAST_SOUND_S = 0.2
"""How long the sound of the last pictures is waited for: a packet is whole 60 ms after it began."""


class SendSession:
    """Owns everything that a call needs and gives it back; `report` tells of it, also after an error."""

    def __init__(
        self,
        settings: SendSettings,
        room: str,
        input_name: str,
        model: Model,
        say: Callable[[str], None] = lambda line: None,
        make_peer: MakePeer | None = None,
        now: Callable[[], float] = time.monotonic,
        finder: FaceFinder | None = None,
        token: str | None = None,
        ways: Ways | None = None,
        record: Path | None = None,
    ) -> None:
        """Prepare a call; `finder` None is the model folder's, or else the shipped one.

        Args: token: what the room's link has after its #. ways: STUN and TURN servers; None: those of the environment.
            record: where it is recorded.
        Raises WeightsError, SettingError.
        """
        self.report = SendReport(model_id=model.model_id, profile=settings.profile, level=settings.level)
        self._settings = settings
        self._room = room
        self._input = input_name
        self._model = model
        self._say = say
        self._ways = ways or Ways()
        self._make_peer = make_peer or self._ways.make_peer
        self._token = token
        self._now = now
        self._times = StageTimes("extract", "encode")
        self._extractor = Extractor(model, self._times)
        self._finder = finder or load_finder(model.folder)
        self._camera_thread = ThreadPoolExecutor(1, thread_name_prefix="camera")
        self._finder_thread = ThreadPoolExecutor(1, thread_name_prefix="finder")
        self._open_frames: FrameSource | None = None
        self._hung_up = False
        self._record = record
        self._recorder: CallRecorder | None = None
        self._stop = threading.Event()
        self._voice: Voice | None = None

    async def run(self) -> None:
        """Make the call. Raises SenderError, SignalingError; a cancelled call says goodbye first."""
        try:
            frames, source = await asyncio.get_running_loop().run_in_executor(self._camera_thread, self._prepare)
            self._open_frames = frames
            server = self._settings.server
            async with await SignalingClient.join(server, self._room, "sender", token=self._token) as client:
                await self._ways.learn(server, self._token)
                if not client.peer_present:
                    self._say(f"waiting in room '{self._room}' for a receiver (up to {self._settings.wait_s:g} s)")
                peer = await call_receiver(client, self._make_peer, self._settings.wait_s)
                try:
                    await self._talk(client, peer, frames, source)
                finally:
                    self.report.take_wire(peer.tap, peer.relayed)
                    if self._recorder is not None:
                        self._recorder.close()
                    await peer.close()
        except asyncio.CancelledError:
            self.report.ended = "stopped at the sender"
            raise
        except Exception as error:
            self.report.ended = str(error)
            raise
        finally:
            self.report.take_times(self._times)
            self._stop.set()
            self._camera_thread.shutdown()
            self._finder_thread.shutdown()
            self._extractor.close()
            if self._open_frames is not None:
                self._open_frames.close()

    def _prepare(self) -> tuple[FrameSource, Source]:
        """Find the face, before anybody is bothered. A clip is opened again: what was looked at is sent, too."""
        settings = self._settings
        frames = open_source(self._input)
        search_s = settings.camera_search_s if frames.live else settings.search_s
        try:
            source = find_source(
                frames,
                self._input,
                self._model.config.size,
                settings.face_threshold,
                search_s,
                self._finder.find,
                self._extractor.face_score,
                settings.source_quality,
                self._stop,
            )
        except BaseException:
            frames.close()
            raise
        self._extractor.set_source(decode_picture(source.picture))
        if not frames.live:
            self._voice = Voice() if settings.sound and has_sound(Path(self._input)) else None
            frames.close()
            frames = open_source(self._input)
        return frames, source

    async def _talk(self, client: SignalingClient, peer: Peer, frames: FrameSource, source: Source) -> None:
        try:
            self._begin_recording(peer)
            await first_to_end(self._begin(peer, source), watch_peer(peer, client, lambda: None))
        except (Mismatch, ControlError, RecordingError) as error:
            await peer.control.refuse(str(error))
            raise
        self.report.take_setup(peer.tap)
        peer.control.send(Start(frame_rate=frames.frame_rate, sound=self._voice is not None))
        if self._recorder is not None:
            peer.control.send(Recording(on=True))
        self._say(f"sending {self._input} to room '{self._room}'")
        await self._send_frames(client, peer, frames, source)
        if self._recorder is not None and self._recorder.error is not None:
            raise self._recorder.error

    def _begin_recording(self, peer: Peer) -> None:
        """Raises RecordingError for one that cannot be written: better now than after the call."""
        if self._record is not None:
            tables_sha256 = self._model.codec_tables.sha256
            self._recorder = CallRecorder(self._record, self._model.model_id, tables_sha256, self._now)
            self._recorder.attach(peer)

    async def _begin(self, peer: Peer, source: Source) -> None:
        """Make sure that the two sides fit, and give the receiver what it renders from."""
        hello = Hello(
            role="sender",
            codec_format=WIRE_VERSION,
            model_id=self._model.model_id,
            tables_sha256=self._model.codec_tables.sha256,
        )
        theirs = await agree(peer.control, hello)
        picture = source.picture
        if source.large is not None and theirs.picture_px > self._model.config.size:
            picture = await asyncio.to_thread(self._encode_large, source.large)
        if self._recorder is not None:
            self._recorder.source(Direction.SENT, picture, MIME)
        self.report.source_bytes = await send_source(peer.control, picture, MIME, RENDERER_READY_TIMEOUT_S)

    def _encode_large(self, crop: Image) -> bytes:
        """The source picture at twice the networks' size. The motion is told against the picture that is sent."""
        picture = encode_picture(crop, min(LARGE_QUALITY, self._settings.source_quality))
        self._extractor.set_source(decode_picture(picture))
        return picture

    async def _send_frames(self, client: SignalingClient, peer: Peer, frames: FrameSource, source: Source) -> None:
        queue: DroppingQueue[Frame] = DroppingQueue(self._settings.capture_queue_frames)
        parts = self._parts()
        rate, encoder = parts.rate(frames.frame_rate), parts.encoder()
        feedback = Feedback(Decoder(self._model.codec_tables), encoder, rate, self._now)
        peer.on_media = feedback.take
        pipeline = parts.pipeline(peer, queue, frames.frame_rate, source, encoder, rate)
        began: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        filming = asyncio.create_task(
            film(frames, queue, self._camera_thread, self._now, began=began.set_result), name="film"
        )
        hearing = asyncio.create_task(self._play_sound(pipeline, began), name="sound")
        keeping = asyncio.create_task(self._keep_statistics(rate), name="statistics")
        start_s = self._now()

        def count() -> str:
            self.report.duration_s = round(self._now() - start_s, 3)
            self.report.take_counts(queue, pipeline)
            self.report.take_wire(peer.tap, peer.relayed)
            self.report.take_link(rate, feedback)
            return self.report.line()

        try:
            self.report.ended = await first_to_end(
                self._until_the_input_ends(pipeline, hearing),
                self._until_hung_up(peer),
                watch_peer(peer, client, lambda: peer.tap.heard_s),
                show_progress(count),
                report_call(client, peer),
            )
            count()
            await self._part(peer, self.report.ended)
        except asyncio.CancelledError:
            count()
            await self._part(peer, "stopped at the sender")
            raise
        finally:
            count()
            outcomes = await _end(filming, hearing, keeping)
        for outcome in outcomes:
            raise outcome  # a damaged clip, a camera that stopped: after what was good has been sent

    async def _keep_statistics(self, rate: RateController) -> None:
        if self._recorder is not None:
            await self._recorder.keep_statistics(
                lambda: LinkFigures(loss_sent=rate.link.losses.loss, round_trip_s=rate.link.rtt_s)
            )

    def _parts(self) -> Parts:
        watch = FaceWatch(self._finder.find, self._settings.face_threshold, self._finder_thread)
        return Parts(self._settings, self._model, self._extractor, watch, self._times, self._set_voice_rate, self._now)

    def _set_voice_rate(self, bits_per_s: int) -> None:
        if self._voice is not None:
            self._voice.bit_rate = bits_per_s

    async def _play_sound(self, pipeline: SenderPipeline, began_s: "asyncio.Future[float]") -> None:
        if self._voice is not None:
            await play_sound(Path(self._input), self._voice, began_s, pipeline.hear, self._now)

    async def _until_the_input_ends(self, pipeline: SenderPipeline, hearing: "asyncio.Task[None]") -> str:
        await pipeline.run()
        await asyncio.wait((hearing,), timeout=LAST_SOUND_S)
        pipeline.flush(at_once=True)
        return "the input ended"

    async def _until_hung_up(self, peer: Peer) -> str:
        reason = (await wait_bye(peer.control, on_recording=self._say_recorded)).reason
        self._hung_up = True
        return f"the receiver hung up: {reason}"

    def _say_recorded(self, message: Recording) -> None:
        self._say("the receiver records this call" if message.on else "the receiver records no more")

    async def _part(self, peer: Peer, reason: str) -> None:
        """Say goodbye, and wait for the receiver's: closing the connection would throw away what is under way."""
        with suppress(PeerGone, ControlError, TimeoutError):
            peer.control.send(Bye(frames=self.report.frames_sent, messages=self.report.messages_sent, reason=reason))
            async with asyncio.timeout(BYE_TIMEOUT_S):
                await (peer.closed.wait() if self._hung_up else wait_bye(peer.control))


async def _end(*tasks: "asyncio.Task[None]") -> list[Exception]:
    """Stop tasks, and give back why those failed that did."""
    for task in tasks:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    return [outcome for outcome in outcomes if isinstance(outcome, Exception) and not isinstance(outcome, PeerGone)]
