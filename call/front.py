"""What an engine shows its results to: a page, or files where nobody watches."""

from typing import Protocol

from call.page_messages import EngineMessage
from receiver.show import Image


class Front(Protocol):
    """All of it is called from the event loop but `show` and `show_self`, which belong to the render thread."""

    def show(self, image: Image, time_s: float) -> None:
        """Take a picture uint8 RGB [S,S,3] of the other side, captured at `time_s`."""

    def show_self(self, image: Image, time_s: float) -> None:
        """Take a picture of oneself as the other side sees it."""

    def hear(self, opus: bytes, time_s: float, sequence: int) -> None:
        """Take an Opus packet of 60 ms, captured at `time_s`, with its number modulo 65536."""

    def tell(self, message: EngineMessage) -> None:
        """Take a message."""
