"""HTTP connections that say nothing, or a letter a minute, do not stay: uvicorn itself waits for a request for ever."""

import asyncio
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


class PatientHttp(H11Protocol):
    """uvicorn's HTTP with a limit for each request to arrive whole, the first and those after it."""

    patience_s: ClassVar[float] = 10.0

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._looking: asyncio.TimerHandle | None = None
        self._seen: Any = None

    @classmethod
    def of(cls, patience_s: float) -> "type[PatientHttp]":
        """Return the class with this limit; uvicorn makes the connections."""
        return type("PatientHttp", (cls,), {"patience_s": patience_s})

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to look."""
        super().connection_made(transport)
        self._looking = self.loop.call_later(self.patience_s, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        self._stop_looking()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Look no more: from here on the switchboard has its own limits."""
        self._stop_looking()
        super().handle_websocket_upgrade(event)

    def _look(self) -> None:
        """Close where the same request is still coming in, or none has come since the last look."""
        waiting = self.conn.their_state in (h11.IDLE, h11.SEND_BODY)
        if waiting and self.cycle is self._seen:
            self.transport.close()
            return
        self._seen = self.cycle
        self._looking = self.loop.call_later(self.patience_s, self._look)

    def _stop_looking(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
