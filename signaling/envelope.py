"""What surrounds every request: its id, a limit of its body, headers of the answer, a line in the log, a count."""

import json
import logging
from typing import Final

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from signaling.logs import new_request_id
from signaling.metrics import Metrics

log = logging.getLogger("facewire.http")

HEADERS: Final = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
UNWATCHED: Final = ("/healthz", "/readyz", "/metrics")
"""Asked every few seconds by machines: not worth a line each."""


class Envelope:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, metrics: Metrics, max_body_bytes: int) -> None:
        self._app = app
        self._metrics = metrics
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        own_id = new_request_id()
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        status = 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *HEADERS, (b"x-request-id", own_id.encode())]
            await send(message)

        try:
            if self._announces_too_much(scope):
                await _too_big(answer, self._max_body_bytes)
            else:
                await self._app(scope, self._limited(receive), answer)
        finally:
            self._note(scope, status)

    def _announces_too_much(self, scope: Scope) -> bool:
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        return not length.isdigit() or int(length) > self._max_body_bytes

    def _limited(self, receive: Receive) -> Receive:
        """Take no more than the limit, whatever was announced."""
        taken = 0

        async def take() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._max_body_bytes:
                raise HTTPException(413, too_big_words(self._max_body_bytes), headers={"Connection": "close"})
            return message

        return take

    def _note(self, scope: Scope, status: int) -> None:
        # put there by routing; the path that was asked for may be anything, and each would be a line of metrics
        route = str(getattr(scope.get("route"), "path", "other"))
        self._metrics.requests.labels(route, str(status)).inc()
        if route not in UNWATCHED:
            log.info("%s %s: %d", scope["method"][:16], route, status)


def too_big_words(limit_bytes: int) -> str:
    """Say how much is taken."""
    return f"expected a body of at most {limit_bytes} bytes, more came"


async def _too_big(send: Send, limit_bytes: int) -> None:
    body = json.dumps({"code": "body_too_big", "reason": too_big_words(limit_bytes)}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 413, "headers": [*headers, (b"connection", b"close")]})
    await send({"type": "http.response.body", "body": body})
