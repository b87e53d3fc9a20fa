"""Messages on their way to one peer of this server."""

from collections.abc import Callable

from signaling.errors import Refusal, RefusalCode
from signaling.messages import Message


class Outbox:
    """A bounded queue, because a peer that does not read must not fill our memory.

    No asyncio.Queue: each peer has one for as long as it sits, almost always empty, and an empty one takes 3 kB.
    """

    __slots__ = ("_limit", "_overflowed", "_refusal", "_waiting", "on_news")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: list[Message] = []
        self._overflowed = False
        self._refusal: Refusal | None = None
        self.on_news: Callable[[], None] | None = None
        """Called when there is something to take."""

    def put(self, message: Message) -> None:
        """Leave a message. One that finds no room marks the peer as too slow."""
        if len(self._waiting) < self._limit:
            self._waiting.append(message)
        else:
            self._overflowed = True
        self._tell()

    def put_out(self, refusal: Refusal) -> None:
        """Have `take` raise this next."""
        self._refusal = refusal
        self._tell()

    @property
    def any_news(self) -> bool:
        """Whether `take` would return a message, or raise."""
        return bool(self._waiting) or self._refusal is not None

    def take(self) -> Message | None:
        """Take the next message; None where there is none.

        Raises Refusal: too_slow where a message was lost, and what the peer is put out for.
        """
        if self._refusal is not None:
            raise self._refusal
        if self._overflowed:
            raise Refusal(RefusalCode.TOO_SLOW, f"expected at most {self._limit} unread messages, more came")
        return self._waiting.pop(0) if self._waiting else None

    def _tell(self) -> None:
        if self.on_news is not None:
            self.on_news()
