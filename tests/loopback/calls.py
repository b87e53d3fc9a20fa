"""A whole call in one process: real server, real sockets, real peers, tiny networks."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from codec import RecordingError, RecordingReader
from models.face_finder import FaceFinder
from models.weights import Model
from receiver.session import ReceiveSession
from receiver.settings import ReceiveSettings
from sender.session import SendSession
from sender.settings import SendSettings
from signaling.ice_hooks import Impair
from signaling.peer import Peer
from tests.models.finders import central_finder


@dataclass
class Call:
    """Both programs of a call, not yet running. Random networks know no faces, so any score will do."""

    url: str
    folder: Path
    clip: Path
    model: Model
    other_model: Model | None = None
    finder: FaceFinder | None = None
    room: str = "r"
    to_sender: Impair | None = None
    to_receiver: Impair | None = None
    send_settings: dict[str, Any] | None = None
    receive_settings: dict[str, Any] | None = None
    sender_record: Path | None = None

    def __post_init__(self) -> None:
        self.said: list[str] = []
        self.output = self.folder / "out.mp4"
        self.record = self.folder / "call.fwr"
        # a given interval: a machine that is held up elsewhere looks to rate control like a bad link
        sending = {"face_threshold": 0.0, "wait_s": 10, "message_interval_ms": 60, **(self.send_settings or {})}
        receiving = {"wait_s": 10, "reorder_hold_ms": 100, **(self.receive_settings or {})}
        self.sender = SendSession(
            SendSettings(server=self.url, **sending),
            self.room,
            str(self.clip),
            self.model,
            say=self.said.append,
            make_peer=lambda: Peer(impair=self.to_sender),
            finder=self.finder or FaceFinder(central_finder()),
            record=self.sender_record,
        )
        self.receiver = ReceiveSession(
            ReceiveSettings(server=self.url, **receiving),
            self.room,
            self.output,
            self.other_model or self.model,
            self.record,
            say=self.said.append,
            make_peer=lambda: Peer(impair=self.to_receiver),
        )

    async def run(self) -> tuple[BaseException | None, BaseException | None]:
        """Run both to their ends; returns the errors of sender and receiver, None where it ended well."""
        sender, receiver = self.start()
        outcomes = await asyncio.gather(sender, receiver, return_exceptions=True)
        return outcomes[0], outcomes[1]

    def start(self) -> tuple["asyncio.Task[None]", "asyncio.Task[None]"]:
        """Start both; returns their tasks."""
        receiver = asyncio.create_task(self.receiver.run(), name="receiver")
        return asyncio.create_task(self.sender.run(), name="sender"), receiver

    async def until_said(self, words: str, limit_s: float = 20.0) -> None:
        """Wait until one of the two says so."""
        await self.until(lambda: any(words in line for line in self.said), limit_s)

    async def until(self, condition: Callable[[], bool], limit_s: float = 20.0) -> None:
        """Wait until something is so. Fails after `limit_s`."""
        async with asyncio.timeout(limit_s):
            while not condition():  # noqa: ASYNC110, there is no event for what only the test asks
                await asyncio.sleep(0.01)

    async def until_some_frames_came(self, messages: int = 10) -> None:
        """Wait until the call is well under way, by what its recording holds."""
        await self.until(lambda: self.record.exists() and recorded(self.record) >= messages)


def recorded(path: Path) -> int:
    """Messages in a recording that is being written."""
    count = 0
    with suppress(RecordingError):  # what is written last may not be whole yet
        for _ in RecordingReader(path).messages():
            count += 1
    return count


def video_times_s(path: Path) -> list[float]:
    """Timestamps of all frames of a video; fails for a file that is not whole."""
    with av.open(str(path)) as container:
        return [round(float(frame.time or 0), 3) for frame in container.decode(video=0)]
