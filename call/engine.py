"""A two-way call from `start` to its end: a seat in a room, one connection after another, the states in words.

                 ┌────────────── lost: take the seat again ───────────────┐
    join ──> the other side is there ──> connect (caller offers) ──> Conversation ──> bye: ended

Only the caller offers, so offers never cross. An offer to a callee that believes itself connected means that the caller
lost it: the new connection counts. A peer that takes its seat again (`peer_joined` for one that was there) lost us: the
caller offers anew. So it is enough that one of the two notices.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

from call.conversation import Conversation
from call.dialling import Dialling
from call.face_words import face_message
from call.fitting import Fitting
from call.freshness import Freshness
from call.front import Front
from call.mirror import Mirror
from call.network import NetworkWatch
from call.own_picture import OwnPicture
from call.own_source import OwnSource
from call.page_messages import ChatMessage, CropMessage, ErrorMessage, RecordMessage, StateMessage
from call.room_link import RoomLink
from call.screen import Screen
from call.seen import Picture, Seen
from call.settings import CallSettings, usual_recordings
from call.states import Progress, State
from call.stats import StatsMaker
from call.taping import Taping
from call.watching import Watching
from codec.errors import RecordingError
from models.config import ModelConfig
from models.face_finder import FaceFinder
from models.face_finder_weights import load_finder
from models.weights import Model
from receiver.source import SourceCache
from signaling.control_messages import Camera, Chat, Mute
from signaling.peer import MakePeer
from signaling.tasks import first_to_end, for_ever
from signaling.ways import Ways

TELL_FACE_S: Final = 0.25
STATS_EACH_S: Final = 0.5


class Engine:
    """Owns everything that a call needs and gives it back. Its methods belong to one event loop."""

    def __init__(
        self,
        settings: CallSettings,
        link: RoomLink,
        model: Model,
        front: Front,
        make_peer: MakePeer | None = None,
        ways: Ways | None = None,
        finder: FaceFinder | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare a call; `finder` None is the model folder's or the shipped one; `ways` None those of the environment.

        Raises WeightsError, ViewError, SettingError.
        """
        self.settings = settings
        self.link = link
        self.model = model
        self.front = front
        self.progress = Progress()
        self.muted = False
        self.camera_on = True
        self.frame_rate = settings.frame_rate
        self.max_kbps = settings.max_kbps
        self.ways = ways or Ways()
        self.make_peer = make_peer or self.ways.make_peer
        self.clock = clock
        self.conversation: Conversation | None = None
        self.way: str | None = None
        """`direct` or `relayed`, once a connection has stood."""
        self.joined_s: float | None = None
        """When the first connection stood, by `now`."""
        self.cache = SourceCache(settings.source_cache, settings.source_cache_files) if settings.source_cache else None
        self.screen = Screen(model, front.show, settings.show_rate, settings.size, self.now)
        self.picture_px = settings.size or 0
        self.fitting = Fitting(model.config.size, settings.source_quality)
        self.watching = Watching(
            model,
            finder or load_finder(model.folder),
            settings.face_threshold,
            settings.source_quality,
            self.fitting,
            self._seen,
            lambda source: self.own.taken(source),
        )
        self.own = OwnPicture(self.watching, self.fitting, self._offer_own)
        self.mirror = Mirror(model, self.screen, front)
        self.taping = Taping(model, front, self.now)
        scaled = isinstance(model.config, ModelConfig)
        self.freshness = Freshness(self.own, self.mirror, front, scaled, self.now, settings.keep_fresh)
        self._begin_clock_s = clock()
        self._started = asyncio.Event()
        self._left = asyncio.Event()
        self.leave_reason = "hung up"
        self._told_face_s = -1.0
        self._stats = StatsMaker(self)

    def now(self) -> float:
        """Seconds since the engine began."""
        return self.clock() - self._begin_clock_s

    async def run(self) -> str:
        """Make the call; returns in words why it ended. Raises SignalingError for one that could not begin."""
        try:
            self._tell_state()
            reason = await first_to_end(
                self._call(),
                self._until_left(),
                self._forever(self.watching.run()),
                self._forever(self.screen.run()),
                self._forever(self.mirror.run()),
                self._forever(self.freshness.run()),
                self._forever(self._stats.run(STATS_EACH_S)),
                self._forever(self.taping.run()),
            )
        except asyncio.CancelledError:
            self._end("the call was stopped here")
            raise
        except Exception as error:
            self._end(str(error))
            raise
        finally:
            self._close()
        self._end(reason)
        return reason

    async def _call(self) -> str:
        await self._started.wait()
        return await Dialling(self, NetworkWatch()).run()

    async def _until_left(self) -> str:
        await self._left.wait()
        return f"this side {self.leave_reason}"

    async def _forever(self, loop: Coroutine[Any, Any, None]) -> str:
        """Run what goes on for as long as the call: it ends the call only by an error."""
        await loop
        return await for_ever()

    def _close(self) -> None:
        self.taping.end()
        self.watching.close()
        self.fitting.close()
        self.screen.close()

    def figures(self) -> dict[str, Any]:
        """What the call came to, as JSON has it."""
        return self._stats.whole_call()

    def _end(self, reason: str) -> None:
        if self.progress.state is not State.ENDED:
            self.report(State.ENDED, reason)

    def report(self, state: State, reason: str) -> None:
        """Take the state of the call and tell the page where it is new."""
        if state is State.IN_CALL and self.joined_s is None:
            self.joined_s = self.now()
        if self.progress.become(state, reason):
            self._tell_state()

    def _tell_state(self) -> None:
        progress = self.progress
        self.front.tell(StateMessage(state=progress.state, reason=progress.reason, room_link=self.link.to_share))

    # What the page asks for ------------------------------------------------------------------------------------------

    def start(self, consent: bool, room_link: str | None = None) -> None:
        """Begin the call, in another room than ours where a link is given. Raises LinkError.

        Without consent no picture is sent: the other side hears, and does not see.
        """
        if self._started.is_set():
            return
        if room_link:
            self.link = RoomLink.parse(room_link)
        self.own.begin(consent)
        self._started.set()

    def leave(self, reason: str = "hung up") -> None:
        """End the call, with words to go on after "this side" and "the other side"."""
        self.leave_reason = reason
        self._left.set()

    def take_picture(self, picture: Picture) -> None:
        """Take a picture of the camera."""
        if self.camera_on:
            self.watching.picture(picture)

    def take_sound(self, opus: bytes, time_s: float) -> None:
        """Take an Opus packet of 60 ms, captured at `time_s` of the engine's clock."""
        if self.conversation is not None and self.conversation.standing and not self.muted:
            self.conversation.outgoing.add_sound(opus, time_s)

    def mute(self, on: bool) -> None:
        """Send no sound, and say so."""
        self.muted = on
        if self.conversation is not None:
            self.conversation.say(Mute(on=on))

    def camera(self, on: bool) -> None:
        """Send no motion, and say so."""
        self.camera_on = on
        if self.conversation is not None:
            self.conversation.say(Camera(on=on))

    def record(self, on: bool) -> None:
        """Record into the usual folder, or stop. A recording that cannot be made is said, and no more."""
        if not on:
            self.taping.end()
            return
        try:
            self.taping.begin_in(self.settings.recordings or usual_recordings())
        except RecordingError as error:
            self.front.tell(RecordMessage(on=False, who="me"))
            self.front.tell(ErrorMessage(words=str(error), what_to_do="make room, or choose FACEWIRE_RECORDINGS"))

    def self_view(self, on: bool) -> None:
        """Show oneself as the other side sees one."""
        self.mirror.on = on

    def chat(self, text: str) -> None:
        """Send a line; where nobody is connected say that it did not arrive."""
        if self.conversation is None or not self.conversation.standing:
            self.front.tell(ErrorMessage(words="nobody is there to read this line", what_to_do="send it again later"))
            return
        self.conversation.say(Chat(text=text))
        self.front.tell(ChatMessage(text=text, from_="me"))

    @property
    def own_source(self) -> OwnSource | None:
        """The picture of oneself that may be sent."""
        return self.own.source

    def set_source(self, source: OwnSource) -> None:
        """Use this picture of oneself from now on, now and in later connections; without consent it stays here."""
        self.own.use(source)

    def _offer_own(self, source: OwnSource) -> None:
        if self.conversation is not None:
            self.conversation.offer_source(source)

    # What the camera says --------------------------------------------------------------------------------------------

    def _seen(self, seen: Seen) -> None:
        self.freshness.see(seen)
        if seen.motion is not None and self.conversation is not None and self.camera_on:
            self.conversation.add_motion(seen.motion)
        if seen.time_s - self._told_face_s < TELL_FACE_S and seen.time_s >= self._told_face_s:
            return
        self._told_face_s = seen.time_s
        self.front.tell(face_message(seen, self.conversation is not None and self.conversation.standing))
        if seen.square is not None:
            self.front.tell(CropMessage(left=seen.square.left, top=seen.square.top, side=seen.square.side))
