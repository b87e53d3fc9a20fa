"""Brings what lies in a peer's outbox to its socket. Between two messages there is no task for it, only this object."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine
from typing import NoReturn

from signaling.errors import Refusal, RefusalCode
from signaling.messages import Message, PeerJoined, PeerLeft
from signaling.outbox import Outbox


class Delivery:
    """One peer's, for as long as it sits. It interrupts the peer's reader where the peer is to be put out."""

    __slots__ = (
        "_alone_s",
        "_ends_s",
        "_error",
        "_idle_s",
        "_lifetime_s",
        "_outbox",
        "_reader",
        "_send",
        "_timer",
        "_writer",
    )

    def __init__(
        self,
        outbox: Outbox,
        send: Callable[[Message], Awaitable[None]],
        lifetime_s: float,
        idle_s: float,
        peer_present: bool,
    ) -> None:
        """Begin to count: the peer may sit for `lifetime_s`, and for `idle_s` alone."""
        now_s = asyncio.get_running_loop().time()
        self._outbox = outbox
        self._send = send
        self._ends_s = now_s + lifetime_s
        self._lifetime_s = lifetime_s
        self._idle_s = idle_s
        self._alone_s: float | None = None if peer_present else now_s
        self._reader: asyncio.Task[object] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._error: Exception | None = None

    async def beside(self, reading: Coroutine[object, object, NoReturn]) -> NoReturn:
        """Deliver while `reading` runs. Raises what that raises, what `send` raises, and Refusal."""
        self._reader = asyncio.current_task()
        self._outbox.on_news = self._begin
        self._set_timer()
        self._begin()
        try:
            await reading
        except asyncio.CancelledError:
            if self._error is None or (self._reader is not None and self._reader.uncancel() > 0):
                raise
            raise self._error from None
        finally:
            self._reader = self._outbox.on_news = None
            if self._timer is not None:
                self._timer.cancel()
            if self._writer is not None:
                self._writer.cancel()
                await asyncio.gather(self._writer, return_exceptions=True)
        raise AssertionError("a reader ends with an error")

    def _begin(self) -> None:
        if self._writer is None and self._outbox.any_news:
            self._writer = asyncio.create_task(self._write(), name="write to a peer")

    async def _write(self) -> None:
        try:
            while (message := self._outbox.take()) is not None:
                if isinstance(message, PeerJoined | PeerLeft):
                    alone = isinstance(message, PeerLeft)
                    self._alone_s = asyncio.get_running_loop().time() if alone else None
                    self._set_timer()
                await self._send(message)
        except Exception as error:  # whatever it is, the reader raises it
            self._end(error)
        finally:
            self._writer = None

    def _end(self, error: Exception) -> None:
        if self._reader is not None and self._error is None:
            self._error = error
            self._reader.cancel()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(min(self._ends_s, self._alone_until_s), self._time_out)

    @property
    def _alone_until_s(self) -> float:
        return math.inf if self._alone_s is None else self._alone_s + self._idle_s

    def _time_out(self) -> None:
        if self._alone_until_s < self._ends_s:
            words = f"expected somebody to come within {self._idle_s:g} s, nobody came"
            self._outbox.put_out(Refusal(RefusalCode.IDLE, words))
        else:
            words = f"expected a call of at most {self._lifetime_s:g} s"
            self._outbox.put_out(Refusal(RefusalCode.LIFETIME_OVER, words))
