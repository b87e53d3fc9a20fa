"""The signaling server: one WebSocket a peer at /rooms/{room}, and a few doors over HTTP (doors.py).

It passes SDP from one seat of a room to the other and says who comes and goes. It never sees media, and a call that
stands goes on without it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI, WebSocket
from starlette.types import Receive, Scope, Send

from signaling.doors import Doors
from signaling.envelope import Envelope
from signaling.gate import Gate
from signaling.logs import new_request_id
from signaling.metrics import Metrics
from signaling.settings import SignalSettings
from signaling.stores import open_store
from signaling.switchboard import Switchboard

ROOMS: Final = "/rooms/"


class _App(FastAPI):
    """FastAPI, past which the sockets of rooms go: its layers cost each 15 kB, for as long as it is open."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or a socket."""
        if scope["type"] == "websocket" and scope["path"].startswith(ROOMS):
            new_request_id()
            # All of the rest, so that a name with a slash is refused in words and not by a bare 403.
            await self.state.switchboard.serve(WebSocket(scope, receive, send), scope["path"][len(ROOMS) :])
        else:
            await super().__call__(scope, receive, send)


def create_app(settings: SignalSettings) -> FastAPI:
    """Build the server; `app.state.switchboard` stops it. Two apps share nothing but what their store shares."""
    store = open_store(settings)
    gate = Gate(settings, store)
    metrics = Metrics(lambda: store.rooms_open, lambda: store.seats_taken, lambda: gate.stopping)
    switchboard = Switchboard(settings, store, gate, metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with store:
            yield

    app = _App(title="facewire signaling", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.switchboard = switchboard
    Doors(settings, store, gate, metrics).add_to(app)

    app.add_middleware(Envelope, metrics=metrics, max_body_bytes=settings.max_message_bytes)
    return app
