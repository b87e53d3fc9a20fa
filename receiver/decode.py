"""Media messages become motion; what is none is counted and dropped."""

from collections.abc import Callable

from codec.acknowledgement import Acknowledgement
from codec.decoder import Decoder, MediaMessage
from codec.errors import MissingReference, WireError
from codec.wire import Level, Profile
from signaling.stages import StageTimes


class CountingDecoder:
    """codec.Decoder for a live call: a bad message never ends it."""

    def __init__(
        self,
        decoder: Decoder,
        times: StageTimes | None = None,
        hear: Callable[[MediaMessage], None] = lambda message: None,
    ) -> None:
        """Args: hear: takes each message as it comes, for its sound: that can be read where the motion must wait."""
        self._decoder = decoder
        self.hear = hear
        self._times = times or StageTimes("decode")
        self.bad_messages = 0
        self.lacking_messages = 0
        """Messages that build on one which had not come."""
        self.frames = 0
        self.frames_recovered = 0
        """Of these, those whose own message had not come: a later one repeated them."""
        self.profile: Profile | None = None
        self.level: Level | None = None
        """The finest of the levels that came."""

    def decode(self, message: bytes) -> list[MediaMessage]:
        """Decode a message, and those before it that had to wait for it; nothing for one that is none, or must wait."""
        try:
            with self._times.measure("decode"):
                decoded = [self._decoder.decode(message), *self._decoder.unblocked()]
        except MissingReference as missing:
            self.lacking_messages += 1
            self.hear(missing.message)
            return []
        except WireError:
            self.bad_messages += 1
            return []
        self.hear(decoded[0])
        for one in decoded:
            self._count(one)
        return decoded

    def acknowledgement(self) -> Acknowledgement | None:
        """What to tell the sender; None before anything came."""
        return self._decoder.acknowledgement()

    def _count(self, message: MediaMessage) -> None:
        self.frames += len(message.repeated) + len(message.motions)
        self.frames_recovered += len(message.repeated)
        if message.motions:
            self.profile = message.profile
            self.level = message.level if self.level is None else min(self.level, message.level)
