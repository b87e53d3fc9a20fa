"""Any bytes, spelled as an encoder spells: so they reach what lies behind the check of the spelling."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from unittest import mock

from codec import Decoder, WireError
from codec.symbols import Model, SymbolReader
from codec.wire import read_message


class KeptReader(SymbolReader):
    """A reader that counts its symbols and can be asked for their shortest spelling."""

    def __init__(self, coded: bytes) -> None:
        super().__init__(coded)
        self.symbols = 0

    def code(self, symbol: int, model: Model) -> int:
        """As `SymbolReader.code`."""
        self.symbols += 1
        return super().code(symbol, model)

    def spelled(self) -> bytes:
        """What an encoder makes of the symbols taken so far."""
        return self._again.finish()


@contextmanager
def kept_readers() -> Iterator[list[KeptReader]]:
    """The readers that any decoder makes inside."""
    readers: list[KeptReader] = []

    def keep(coded: bytes) -> KeptReader:
        readers.append(KeptReader(coded))
        return readers[-1]

    with mock.patch("codec.decoder.SymbolReader", keep):
        yield readers


def respelled(message: bytes, decoder: Decoder) -> bytes:
    """The message with the symbols that `decoder` takes from it, in their shortest spelling.

    The same message where it is refused before any symbol. The decoder decodes it, with all that follows.
    """
    with kept_readers() as readers, suppress(WireError):
        decoder.decode(message)
    if not readers:
        return message
    return message[: len(message) - len(read_message(message).coded)] + readers[0].spelled()
