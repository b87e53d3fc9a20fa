"""Any bytes, spelled as an encoder spells: so they reach what lies behind the check of the spelling."""

from __future__ import annotations

from contextlib import suppress

import pytest

from codec import Decoder, WireError
from codec.symbols import SymbolReader
from codec.wire import read_message


def respelled(message: bytes, decoder: Decoder) -> bytes:
    """The message with the symbols that `decoder` takes from it, in their shortest spelling.

    The same message where it is refused before any symbol. The decoder decodes it, with all that follows.
    """
    readers: list[SymbolReader] = []

    class Kept(SymbolReader):
        def __init__(self, coded: bytes) -> None:
            super().__init__(coded)
            readers.append(self)

    with pytest.MonkeyPatch.context() as patch, suppress(WireError):
        patch.setattr("codec.decoder.SymbolReader", Kept)
        decoder.decode(message)
    if not readers:
        return message
    envelope = read_message(message)
    return message[: len(message) - len(envelope.coded)] + readers[0]._again.finish()
