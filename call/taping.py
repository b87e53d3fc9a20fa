"""Whether a call is recorded: from its start, or from a press of the button to another. Both sides are told.

A recording that begins in the middle of a connection begins with what the coders hold by then, so that it can be read.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from call.front import Front
from call.page_messages import ErrorMessage, RecordMessage
from codec.errors import RecordingError
from codec.recording_records import Direction
from models.weights import Model
from signaling.control_messages import Recording
from signaling.recorder import STATISTICS_EACH_S, CallRecorder, LinkFigures

if TYPE_CHECKING:
    from call.conversation import Conversation

LOOK_EACH_S: Final = 0.5
RESTATED: Final = 16
"""States of either direction that a recording begins with: a second of messages, further back is rarely built on."""


class Taping:
    """The recordings of one engine, one at a time."""

    def __init__(self, model: Model, front: Front, now: Callable[[], float]) -> None:
        self.error: RecordingError | None = None
        """Why the last recording ended early. The call goes on without it."""
        self._model = model
        self._front = front
        self._now = now
        self._recorder: CallRecorder | None = None
        self._conversation: Conversation | None = None
        self._pictures: dict[Direction, tuple[bytes, str]] = {}

    @property
    def on(self) -> bool:
        """Whether the call is being recorded."""
        return self._recorder is not None

    def begin(self, path: Path) -> None:
        """Record into this file from now on. Raises RecordingError where it cannot be written."""
        self.end()
        self.error = None
        tables_sha256 = self._model.codec_tables.sha256
        self._recorder = CallRecorder(path, self._model.model_id, tables_sha256, self._now)
        if self._conversation is not None:
            self._attach(self._recorder, self._conversation)
            for direction, picture in self._pictures.items():
                self._recorder.source(direction, *picture)
        self._tell()

    def begin_in(self, folder: Path) -> None:
        """Record into a new file of this folder, named by the time. Raises RecordingError."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecordingError(f"cannot record into {folder}: {error.strerror or error}") from None
        stem = time.strftime("call-%Y%m%d-%H%M%S")
        self.begin(next(path for path in _names(folder, stem) if not path.exists()))

    def end(self) -> None:
        """Finish the recording, if there is one."""
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            return
        recorder.statistics(self._figures())
        recorder.close()
        self.error = recorder.error
        self._tell(recorder.path)

    def attach(self, conversation: "Conversation") -> None:
        """Go on with another connection."""
        self._conversation = conversation
        self._pictures.clear()
        if self._recorder is not None:
            self._attach(self._recorder, conversation)

    def source(self, direction: Direction, picture: bytes, mime: str) -> None:
        """Note the picture that motion of one direction is told against from some time on."""
        self._pictures[direction] = picture, mime
        if self._recorder is not None:
            self._recorder.source(direction, picture, mime)

    async def run(self) -> None:
        """Note how the link is, and say where a recording cannot go on, until cancelled."""
        due_s = self._now() + STATISTICS_EACH_S
        while True:
            await asyncio.sleep(LOOK_EACH_S)
            recorder = self._recorder
            if recorder is None or self._now() < due_s and recorder.error is None:
                continue
            due_s = self._now() + STATISTICS_EACH_S
            if recorder.error is not None:
                self.end()
                words = f"the recording ended: {recorder.error}"
                self._front.tell(ErrorMessage(words=words, what_to_do="what was recorded before that can be played"))
            else:
                recorder.statistics(self._figures())

    def _attach(self, recorder: CallRecorder, conversation: "Conversation") -> None:
        held = [(direction, one) for direction in Direction for one in conversation.restate(direction, RESTATED)]
        recorder.attach(conversation.peer, conversation.begin_s, held)

    def _figures(self) -> LinkFigures:
        conversation = self._conversation
        if conversation is None:
            return LinkFigures()
        link, incoming = conversation.outgoing.rate.link, conversation.incoming
        return LinkFigures(incoming.loss, link.losses.loss, link.rtt_s, incoming.smoother.delay_ms / 1000)

    def _tell(self, kept: Path | None = None) -> None:
        """Say it on both sides."""
        where = self._recorder.path if self._recorder is not None else kept
        self._front.tell(RecordMessage(on=self.on, who="me", where=str(where or "")))
        if self._conversation is not None:
            self._conversation.say(Recording(on=self.on))


def _names(folder: Path, stem: str) -> "list[Path]":
    """Names for two recordings of one second, and more than anybody makes."""
    return [folder / f"{stem}.fwr", *(folder / f"{stem}-{count}.fwr" for count in range(2, 100))]
