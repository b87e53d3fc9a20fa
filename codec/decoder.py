"""Media messages in, motion out."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

from codec import paper
from codec.acknowledgement import ACKNOWLEDGED_BEFORE, NOTHING_HELD, Acknowledgement
from codec.chain import Frame, Group, State, blank_group, code_check, code_group, state_after
from codec.codec_tables import CodecTables
from codec.errors import MissingReference, WireError
from codec.fields import FRAMES, MAX_STEP, Links, code_answer, code_links
from codec.motion import Motion
from codec.quantise import dequantise
from codec.restate import restate
from codec.symbols import SymbolReader
from codec.wire import SEQUENCE_MODULUS, Level, Profile, read_message, unwrap_sequence

_MOST_WAITING: Final = 16  # messages that came before what they build on
_NO_LINKS: Final = Links(False, ())


@dataclass(frozen=True)
class MediaMessage:
    """What one message said.

    sequence: 0..1023, wraps; `wire.unwrap_sequence` gives the order over a whole call. motions: its own frames, oldest
    first, that no message gave out before; up to 16. repeated: last frames of earlier messages that came again and had
    not been given out, oldest first. acknowledgement: of the other direction. sound: a section of it (sound.py), or
    nothing. level: of its own frames; HIGH where the profile has none. frames: its own in integers; none in `paper`.
    """

    sequence: int
    motions: tuple[Motion, ...]
    repeated: tuple[Motion, ...] = ()
    acknowledgement: Acknowledgement | None = None
    sound: bytes = b""
    profile: Profile = Profile.PREDICTIVE
    level: Level = Level.HIGH
    frames: tuple[Frame, ...] = ()


class Decoder:
    """Reads the messages of one direction of one call, in any order, some of them lost or doubled.

    It holds the states after the last 64 messages. Numbers are of the whole call.
    """

    def __init__(self, tables: CodecTables) -> None:
        """Decode with the tables that the sender codes with (compare `CodecTables.sha256`)."""
        self._tables = tables
        self._states: dict[int, State] = {}
        self._came: dict[int, bool] = {}  # by number: whether all its frames were given out, or the last alone
        self._newest: int | None = None
        self._lacking: int | None = None
        self._waiting: dict[int, tuple[int, bytes]] = {}  # by number: what it builds on, the message

    def decode(self, message: bytes | str) -> MediaMessage:
        """What one message says; its frames are exact to the integers that were coded and to the millisecond.

        Text, which a data channel can also deliver, is refused like any other message that is none. At most 31 frames
        are made, whatever the bytes say. After an error the state is what it was.

        Raises: MissingReference where the motion builds on a message that was lost, with the rest of what the message
            says; WireError for anything that `Encoder` does not write.
        """
        if isinstance(message, str):
            raise WireError(f"expected a media message in bytes, got text of {len(message)} characters")
        envelope = read_message(message)
        number = unwrap_sequence(envelope.sequence, self._newest)
        reader = SymbolReader(envelope.coded)
        answer = code_answer(reader, None)
        frames = reader.code(0, FRAMES)
        said = MediaMessage(envelope.sequence, (), (), answer, envelope.sound, envelope.profile)
        if not frames:
            reader.finish()
            if answer is None and not envelope.sound:
                raise WireError("expected frames, an acknowledgement or sound, got a message that says nothing")
            self._note(number, [])
            return said
        links = code_links(reader, _NO_LINKS)
        if envelope.profile is Profile.PAPER:
            return self._decode_paper(said, number, reader, links, frames)
        return self._decode_predictive(said, number, reader, links, frames, message)

    def unblocked(self) -> list[MediaMessage]:
        """Messages that were refused for a missing reference which has come since, decoded, oldest first.

        Call it after each `decode`: a message that overtook the one it builds on is read here, without a word of sound
        or acknowledgement, which its error gave.
        """
        found: list[MediaMessage] = []
        for number in sorted(self._waiting):
            reference, message = self._waiting.get(number, (None, b""))
            if reference not in self._states:
                continue
            del self._waiting[number]
            with suppress(WireError):  # damaged behind its links
                found.append(replace(self.decode(message), acknowledgement=None, sound=b""))
        return found

    def acknowledgement(self) -> Acknowledgement | None:
        """What to tell the sender; None before anything came."""
        lacking = self._lacking is not None
        if not self._came:
            return Acknowledgement(NOTHING_HELD, 0, lacking) if lacking else None
        newest = max(self._came)
        received = sum(1 << bit for bit in range(ACKNOWLEDGED_BEFORE) if self._came.get(newest - 1 - bit))
        return Acknowledgement(newest % SEQUENCE_MODULUS, received, lacking)

    def restate(self, most: int) -> list[bytes]:
        """Messages by which a decoder that begins now comes to hold the newest states of this one, `most` at most."""
        newest = [self._states[number] for number in sorted(self._states)[-most:]]
        return restate(newest, self._tables.predictive)

    def _decode_predictive(
        self, said: MediaMessage, number: int, reader: SymbolReader, links: Links, frames: int, message: bytes
    ) -> MediaMessage:
        numbers = _numbers(number, links)  # oldest first; the last is this message's
        before = self._find(numbers.pop(0), said, number, message) if links.builds else None
        tables, keypoints = self._tables.predictive, self._tables.keypoints
        passed: list[State] = []
        for repeated in numbers[:-1]:
            group = code_group(reader, blank_group(1, keypoints), before, tables)
            before = state_after(group, repeated)
            passed.append(before)
        group = code_group(reader, blank_group(frames, keypoints), before, tables)
        state = state_after(group, number)
        agreed = code_check(reader, state)
        reader.finish()
        if not agreed:
            raise self._lack(number, numbers[0], said, "a state other than the sender's")
        old = [self._motions(kept.last)[0] for kept in passed if kept.number not in self._came]
        new = self._unseen(number, self._motions(group))
        for kept in (*passed, state):
            self._states[kept.number] = kept
        self._note(number, numbers[:-1])
        return replace(said, motions=new, repeated=tuple(old), level=group.level, frames=group.frames)

    def _decode_paper(
        self, said: MediaMessage, number: int, reader: SymbolReader, links: Links, frames: int
    ) -> MediaMessage:
        if links.builds:
            raise WireError("expected motion of profile paper to build on nothing, got a reference")
        numbers = _numbers(number, links)
        motions = paper.read_frames(reader, len(numbers) - 1 + frames, self._tables.paper)
        reader.finish()
        passed = zip(numbers[:-1], motions, strict=False)
        old = tuple(motion for repeated, motion in passed if repeated not in self._came)
        new = self._unseen(number, motions[len(numbers) - 1 :])
        self._note(number, numbers[:-1])
        return replace(said, motions=new, repeated=old)

    def _find(self, reference: int, said: MediaMessage, number: int, message: bytes) -> State:
        if reference not in self._states:
            self._waiting[number] = (reference, message)
            self._waiting = {n: self._waiting[n] for n in sorted(self._waiting)[-_MOST_WAITING:]}
            raise self._lack(number, reference, said, "it, which is not held")
        return self._states[reference]

    def _lack(self, number: int, reference: int, said: MediaMessage, what: str) -> MissingReference:
        """Remember that something is missing, unless newer messages have made up for it."""
        if not self._came or number > max(self._came):
            self._lacking = number
        return MissingReference(
            f"expected the state after message {reference % SEQUENCE_MODULUS} to decode message {said.sequence}, "
            f"which builds on {what}",
            reference % SEQUENCE_MODULUS,
            said,
        )

    def _motions(self, group: Group) -> tuple[Motion, ...]:
        tables = self._tables.predictive
        return tuple(dequantise(frame.integers, tables, group.level, frame.time_ms / 1000) for frame in group.frames)

    def _unseen(self, number: int, motions: tuple[Motion, ...]) -> tuple[Motion, ...]:
        """What of a message's own frames was not given out before: all, all but the last, or none."""
        if number not in self._came:
            return motions
        return () if self._came[number] else motions[:-1]

    def _note(self, number: int, repeated: list[int]) -> None:
        """Keep account of a message that was decoded, and forget what is too old to be built on."""
        for earlier in repeated:
            self._came.setdefault(earlier, False)
        self._came[number] = True
        self._newest = number if self._newest is None else max(self._newest, number)
        if self._lacking is not None and number >= self._lacking:
            self._lacking = None
        oldest = self._newest - MAX_STEP
        self._came = {n: whole for n, whole in self._came.items() if n >= oldest}
        self._states = {n: state for n, state in self._states.items() if n >= oldest}
        self._waiting = {n: waits for n, waits in self._waiting.items() if n >= oldest}


def _numbers(number: int, links: Links) -> list[int]:
    """The messages that links lead to, oldest first, and the message itself."""
    return [number - back for back in accumulate((0, *links.steps))][::-1]
