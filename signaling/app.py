"""The signaling server: one WebSocket a peer at /rooms/{room}, and a few doors over HTTP (doors.py).

It passes SDP from one seat of a room to the other and says who comes and goes. It never sees media, and a call that
stands goes on without it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket

from signaling.doors import Doors
from signaling.envelope import Envelope
from signaling.gate import Gate
from signaling.metrics import Metrics
from signaling.settings import SignalSettings
from signaling.stores import open_store
from signaling.switchboard import Switchboard


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

    app = FastAPI(title="facewire signaling", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.switchboard = switchboard
    Doors(settings, store, gate, metrics).add_to(app)

    # `:path`, so that a name with a slash is refused in words and not by a bare 403.
    @app.websocket("/rooms/{room:path}")
    async def room(socket: WebSocket, room: str) -> None:
        await switchboard.serve(socket, room)

    app.add_middleware(Envelope, metrics=metrics, max_body_bytes=settings.max_message_bytes)
    return app
