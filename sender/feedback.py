"""What the receiver says of our messages. It comes in media messages that go the other way."""

import time
from collections.abc import Callable

from codec.decoder import Decoder, MediaMessage
from codec.encoder import Encoder
from codec.errors import MissingReference, WireError
from sender.rate import RateController


class Feedback:
    """Gives acknowledgements to the encoder and to the rate control; a bad message is counted and no more."""

    def __init__(
        self,
        decoder: Decoder,
        encoder: Encoder,
        rate: RateController,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._decoder = decoder
        self._encoder = encoder
        self._rate = rate
        self._now = now
        self.acknowledgements = 0
        self.lacking = 0
        """Acknowledgements that said that something we built on was missing."""
        self.bad_messages = 0

    def take(self, message: bytes) -> None:
        """Take a message as it comes off the wire."""
        said = self._read(message)
        if said is None or said.acknowledgement is None:
            return
        self.acknowledgements += 1
        self.lacking += said.acknowledgement.lacking
        self._encoder.take_acknowledgement(said.acknowledgement)
        self._rate.acknowledged(said.acknowledgement, self._now())

    def _read(self, message: bytes) -> MediaMessage | None:
        try:
            return self._decoder.decode(message)
        except MissingReference as missing:
            return missing.message  # its motion cannot be read; all else can
        except WireError:
            self.bad_messages += 1
            return None
