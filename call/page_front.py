"""What the engine shows its results to where a person has a page; pages come and go, this stays."""

from typing import TYPE_CHECKING, Final

import cv2

from call.page_binary import ToPage, pack
from call.page_messages import EngineMessage, MuteMessage, RecordMessage
from receiver.show import Image

if TYPE_CHECKING:
    from call.page_link import PageLink

JPEG_QUALITY: Final = 88


class PageFront:
    """What the engine shows its results to. Outlives a page: another one may come, or the same be loaded again."""

    def __init__(self) -> None:
        self.link: PageLink | None = None
        self._last: dict[str, EngineMessage] = {}

    def show(self, image: Image, time_s: float) -> None:
        """Give a picture to the page, in the render thread."""
        self._show(ToPage.PICTURE, image, time_s)

    def show_self(self, image: Image, time_s: float) -> None:
        """Give the page a picture of oneself."""
        self._show(ToPage.SELF, image, time_s)

    def _show(self, kind: ToPage, image: Image, time_s: float) -> None:
        link = self.link
        if link is not None:
            link.put_picture_threadsafe(pack(kind, 1000 * time_s, to_jpeg(image)), kind)

    def hear(self, opus: bytes, time_s: float, sequence: int) -> None:
        """Give a packet to the page."""
        if self.link is not None:
            self.link.put_sound(opus, time_s, sequence)

    def tell(self, message: EngineMessage) -> None:
        """Tell the page; one that comes later hears the last of each kind that stays true."""
        if message.type in ("state", "mute", "record", "crop", "face", "voice"):
            whose = f" {message.who}" if isinstance(message, MuteMessage | RecordMessage) else ""
            self._last[message.type + whose] = message
        if self.link is not None:
            self.link.put(message)

    def greet(self, link: "PageLink") -> None:
        """Tell a new page how things stand."""
        self.link = link
        for message in self._last.values():
            link.put(message)


def to_jpeg(image: Image) -> bytes:
    """Encode uint8 RGB [S,S,3]; some 20 kB at 256 px."""
    good, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    assert good, "a picture of these types can always be encoded"
    return bytes(data)
