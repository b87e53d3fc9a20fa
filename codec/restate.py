"""A decoder's states as messages that build on nothing, so that a recording can begin in the middle of a call."""

from __future__ import annotations

from collections.abc import Iterable

from codec.chain import State, code_check, code_group
from codec.fields import FRAMES, Links, code_answer, code_links
from codec.predictive_tables import PredictiveTables
from codec.symbols import SymbolWriter
from codec.wire import SEQUENCE_MODULUS, Envelope, Profile, write_message


def restate(states: Iterable[State], tables: PredictiveTables) -> list[bytes]:
    """Messages by which a fresh decoder comes to hold these states, oldest first; each gives out its one frame."""
    return [_message(state, tables) for state in sorted(states, key=lambda state: state.number)]


def _message(state: State, tables: PredictiveTables) -> bytes:
    writer = SymbolWriter()
    code_answer(writer, None)
    writer.code(1, FRAMES)
    code_links(writer, Links(False, ()))
    code_group(writer, state.last, None, tables)
    code_check(writer, state)
    return write_message(Envelope(Profile.PREDICTIVE, state.number % SEQUENCE_MODULUS, b"", writer.finish()))
