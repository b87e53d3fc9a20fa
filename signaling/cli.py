"""`facewire signal`: runs the signaling server until Ctrl-C."""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable
from typing import Annotated

import typer
import uvicorn

from signaling.app import create_app
from signaling.errors import PortTaken
from signaling.settings import SignalSettings, read_settings


def signal(
    host: Annotated[str | None, typer.Option(help="Address to listen on; 0.0.0.0 for all. Default: 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="TCP port; 0 takes a free one. Default: 8765.")] = None,
    max_rooms: Annotated[int | None, typer.Option(help="Rooms open at one time. Default: 1000.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log who comes and goes.")] = False,
) -> None:
    """Run the server through which two peers find each other. It never sees media."""
    settings = read_settings(SignalSettings, host=host, port=port, max_rooms=max_rooms)
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    with listen(settings) as listener:
        asyncio.run(serve(settings, listener, ready=lambda url: typer.echo(f"signal: ready on {url}")))


def listen(settings: SignalSettings) -> socket.socket:
    """Open the listening socket before anything else, so that a taken port is one line and not a server's log."""
    place = f"{settings.host} port {settings.port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise PortTaken(f"expected an address of this machine to listen on, got {place}: {error.strerror}") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(f"expected a free port, but {place} is taken: stop what uses it or give --port") from None
        raise PortTaken(f"expected an address and port to listen on, got {place}: {error.strerror}") from None
    return listener


class Server(uvicorn.Server):
    """uvicorn, saying when it is ready and on which port."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[str], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start accepting, then tell."""
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            self._ready(f"ws://[{host}]:{port}" if ":" in host else f"ws://{host}:{port}")


def build_server(settings: SignalSettings, ready: Callable[[str], None]) -> Server:
    """Put the app and its limits into a server that is not running yet."""
    config = uvicorn.Config(
        create_app(settings),
        log_config=None,
        access_log=False,
        # Four times our own limit: up to there the peer is told in words, beyond it uvicorn just closes (code 1009).
        ws_max_size=4 * settings.max_message_bytes,
        ws_ping_interval=settings.ping_interval_s,
        ws_ping_timeout=settings.ping_interval_s,
        ws_per_message_deflate=False,  # a compressed message could be a bomb, and an SDP is small
        timeout_graceful_shutdown=max(1, round(settings.grace_s)),
    )
    return Server(config, ready)


async def serve(settings: SignalSettings, listener: socket.socket, ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    await build_server(settings, ready).serve(sockets=[listener])
