"""Media messages become motion; what is none is counted and dropped."""

from codec.decoder import Decoder, MediaMessage
from codec.errors import MissingReference, WireError
from signaling.stages import StageTimes


class CountingDecoder:
    """codec.Decoder for a live call: a bad message never ends it."""

    def __init__(self, decoder: Decoder, times: StageTimes | None = None) -> None:
        self._decoder = decoder
        self._times = times or StageTimes("decode")
        self.bad_messages = 0
        self.lacking_messages = 0
        """Messages that build on one which had not come."""
        self.frames = 0

    def decode(self, message: bytes) -> list[MediaMessage]:
        """Decode a message, and those before it that had to wait for it; nothing for one that is none, or must wait."""
        try:
            with self._times.measure("decode"):
                decoded = [self._decoder.decode(message), *self._decoder.unblocked()]
        except MissingReference:
            self.lacking_messages += 1
            return []
        except WireError:
            self.bad_messages += 1
            return []
        self.frames += sum(len(one.repeated) + len(one.motions) for one in decoded)
        return decoded
