"""Media messages become motion; what is none is counted and dropped."""

from codec.decoder import Decoder, MediaMessage
from codec.errors import WireError
from signaling.stages import StageTimes


class CountingDecoder:
    """codec.Decoder for a live call: a bad message never ends it."""

    def __init__(self, decoder: Decoder, times: StageTimes | None = None) -> None:
        self._decoder = decoder
        self._times = times or StageTimes("decode")
        self.bad_messages = 0
        self.frames = 0

    def decode(self, message: bytes) -> MediaMessage | None:
        """Decode a message; None for one that is none."""
        try:
            with self._times.measure("decode"):
                decoded = self._decoder.decode(message)
        except WireError:
            self.bad_messages += 1
            return None
        self.frames += len(decoded.motions)
        return decoded
