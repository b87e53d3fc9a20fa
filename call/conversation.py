"""One connection of a call, from hello until it is lost or somebody hangs up.

What outlives it (camera, screen, the page) belongs to the engine; here is what begins anew with each connection: the
coders' states, the rate control, the clock of the media, which counts from hello.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from call.around import Around
from call.fitting import USUAL
from call.incoming import Incoming
from call.outgoing import Outgoing
from call.own_source import OwnSource
from call.page_messages import ChatMessage, MuteMessage, RecordMessage, VoiceMessage
from call.sources import SourceIntake, SourceOffer
from call.states import Silence
from codec.acknowledgement import Acknowledgement
from codec.motion import Motion
from codec.recording_records import Direction
from codec.wire import WIRE_VERSION
from receiver.errors import SourceError
from receiver.source import readable
from signaling.control import agree
from signaling.control_messages import (
    AnyControlMessage,
    Bye,
    Camera,
    Chat,
    ControlMessage,
    Hello,
    Idle,
    Mute,
    Recording,
    SourceBegin,
    SourceHave,
    SourceReady,
    SourceUse,
    SourceWant,
    name_of,
)
from signaling.errors import ControlError, PeerGone, SignalingError
from signaling.messages import Role
from signaling.peer import Peer
from signaling.tasks import first_to_end

LOOK_EACH_S = 0.1
BYE_LINGER_S = 3.0
"""In which SCTP says a goodbye three times, if it must. The other side closes when it came."""


class Conversation:
    """One connection. `run` ends with the other side's goodbye, or raises why it is lost."""

    def __init__(self, peer: Peer, role: Role, around: Around, clock: Callable[[], float] = time.monotonic) -> None:
        self.peer = peer
        self.silence = Silence(clock())
        self.their_words = ""
        """What the other side says of itself: no face, camera off."""
        self.standing = False
        """Whether hello was said and understood."""
        self.closed_by_them = False
        """Whether the other side closed the connection without a goodbye that came."""
        self._role = role
        self._around = around
        self._clock = clock
        self.begin_s = around.now()
        """When the media clock began, by the engine's."""
        tables = around.model.codec_tables
        self.incoming = Incoming(tables, self.begin_s, self._hear, self._owe, self._acknowledged, around.now)
        self.incoming.retell = around.screen.retell
        self.outgoing = Outgoing(
            peer,
            tables,
            self.begin_s,
            around.frame_rate,
            self.incoming.acknowledgement,
            self._say_idle,
            around.max_kbps,
            around.now,
        )
        self.offer = SourceOffer(peer.control, self._elapsed_s, self._use_own, self.outgoing.rate)
        around.mirror.begin(tables, self.begin_s)
        self.outgoing.on_sent = around.mirror.take
        self.outgoing.on_voice = self._tell_voice
        self._tell_voice(self.outgoing.plan.voice_bps)  # as the connection before had left it
        self.intake = SourceIntake(peer.control, around.cache, self._prepare)
        self._sends_motion = False
        self._wishes = USUAL
        self._fit: asyncio.Task[None] | None = None
        around.taping.attach(self)

    async def run(self) -> str:
        """Talk until the other side hangs up; returns its reason.

        Raises PeerGone, Mismatch, ControlError, CallRefused, SourceError.
        """
        self.peer.on_media = self.incoming.take
        try:
            await first_to_end(self._agree(), self._watch())
            return (await first_to_end(self._listen(), self._send(), self._watch())).reason
        except (SignalingError, SourceError) as error:
            if not isinstance(error, PeerGone):
                await self.peer.control.refuse(str(error))
            raise
        finally:
            self.peer.on_media = lambda message: None
            if self._fit is not None:
                self._fit.cancel()
                await asyncio.gather(self._fit, return_exceptions=True)
            await self.offer.close()

    async def hang_up(self, reason: str) -> None:
        """Say goodbye, and wait until the other side has heard it and closes, or for BYE_LINGER_S."""
        with suppress(PeerGone, TimeoutError):
            sender = self.outgoing.sender
            self.peer.control.send(Bye(frames=sender.frames, messages=sender.messages, reason=reason[:500]))
            async with asyncio.timeout(BYE_LINGER_S):
                await self.peer.closed.wait()

    def add_motion(self, motion: Motion) -> None:
        """Take a frame of our own, once the other side has the picture that it is told against."""
        if self._sends_motion:
            self.outgoing.add_motion(motion)

    def offer_source(self, source: OwnSource) -> None:
        """Have the other side render from this picture."""
        if not self.standing:
            return
        if self._fit is not None:
            self._fit.cancel()
        self._fit = asyncio.create_task(self._fit_then_offer(source), name="fit the source picture")

    async def _fit_then_offer(self, source: OwnSource) -> None:
        """Offer it as the other side wants it. A connection that is gone meanwhile is noticed elsewhere."""
        fitted = await self._around.fitting.fit(source, self._wishes)
        with suppress(PeerGone):
            self.offer.offer(fitted)

    def say(self, message: ControlMessage) -> None:
        """Tell the other side. A connection that is gone is noticed elsewhere."""
        with suppress(PeerGone):
            if self.standing:
                self.peer.control.send(message)

    async def _agree(self) -> Bye | None:
        around, model = self._around, self._around.model
        mine = Hello(
            role=self._role,
            codec_format=WIRE_VERSION,
            model_id=model.model_id,
            tables_sha256=model.codec_tables.sha256,
            picture_px=around.picture_px,
            pictures=readable(),
        )
        self._wishes = around.fitting.wishes(await agree(self.peer.control, mine))
        self.standing = True
        around.screen.smoother = self.incoming.smoother
        if around.own_source is not None:
            self.offer_source(around.own_source)
        if around.muted:
            self.say(Mute(on=True))
        if not around.camera_on:
            self.say(Camera(on=False))
        if around.taping.on:
            self.say(Recording(on=True))
        return None

    async def _listen(self) -> Bye:
        while True:
            message = await self.peer.control.receive()
            if isinstance(message, Bye):
                return message
            await self._take(message)

    async def _take(self, message: AnyControlMessage | bytes) -> None:
        match message:
            case bytes():
                await self.intake.add(message)
            case SourceBegin():
                await self.intake.begin(message)
            case SourceWant() | SourceHave() | SourceReady():
                self.offer.take(message)
            case SourceUse():
                self._around.screen.use(message.sha256, message.from_s + self.begin_s)
                self.incoming.live = True
            case Idle():
                self.their_words = message.reason
            case Camera():
                self.their_words = "" if message.on else "the other side's camera is off"
            case Mute():
                self._around.front.tell(MuteMessage(on=message.on, who="them"))
            case Recording():
                self._around.front.tell(RecordMessage(on=message.on, who="them"))
            case Chat():
                self._around.front.tell(ChatMessage(text=message.text, from_="them"))
            case _:
                raise ControlError(f"expected a message of a call, got {name_of(message)}")

    async def _send(self) -> NoReturn:
        await self.outgoing.run()
        raise AssertionError("sending ends only with the connection")

    async def _watch(self) -> NoReturn:
        """Raise PeerGone when the connection is lost; tell the state meanwhile."""
        while True:
            now_s = self._clock()
            state, words = self.silence.look(self.peer.heard_s, now_s)
            closed = self.peer.closed.is_set()
            lost = "the other side closed the connection" if closed else self.silence.lost(now_s)
            if lost is not None:
                await asyncio.sleep(LOOK_EACH_S)  # a goodbye that came just before may still be being read
                self.closed_by_them = closed
                raise PeerGone(lost)
            if self._fit is not None and self._fit.done() and not self._fit.cancelled():
                self._fit.result()  # what went wrong there ends the call, here
            if self.standing:
                self._around.report(state, words or self.their_words)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.peer.closed.wait(), LOOK_EACH_S)

    def _elapsed_s(self) -> float:
        return self._around.now() - self.begin_s

    def _hear(self, opus: bytes, time_s: float, sequence: int) -> None:
        self._around.front.hear(opus, time_s, sequence)

    def _owe(self) -> None:
        self.outgoing.owe_acknowledgement()

    def _acknowledged(self, acknowledgement: Acknowledgement) -> None:
        self.outgoing.acknowledged(acknowledgement)

    def _tell_voice(self, bits_per_s: int) -> None:
        self._around.front.tell(VoiceMessage(bit_rate=bits_per_s))

    def _say_idle(self) -> None:
        around = self._around
        words = "" if around.camera_on else "the other side's camera is off"
        if around.camera_on and around.own_source is None:
            words = "the other side has not sent a picture yet"
        self.say(Idle(reason=words))

    def restate(self, direction: Direction, most: int) -> list[bytes]:
        """Messages by which a decoder that begins now comes to hold what that of this direction does."""
        return (self.incoming if direction is Direction.RECEIVED else self._around.mirror).restate(most)

    async def _prepare(self, picture: bytes, mime: str, sha256: str) -> None:
        self._around.taping.source(Direction.RECEIVED, picture, mime)
        await self._around.screen.prepare(picture, mime, sha256)

    def _use_own(self, source: OwnSource, from_s: float) -> None:
        """Tell motion against a picture that the other side is ready for, from then on."""
        self._around.taping.source(Direction.SENT, source.picture, source.mime)

        def then() -> None:
            canonical = self._around.watching.canonical
            assert canonical is not None
            self.outgoing.set_source(canonical)
            self._sends_motion = True
            self._around.mirror.use(source)

        self._around.watching.use(source, from_s + self.begin_s, then)
