"""`facewire signal`: runs the signaling server until Ctrl-C."""

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Annotated

import typer
import uvicorn

from signaling.app import create_app
from signaling.errors import PortTaken, SettingError
from signaling.logs import set_up
from signaling.patience import PatientHttp
from signaling.settings import SignalSettings, read_settings
from signaling.switchboard import Switchboard

log = logging.getLogger("facewire.signaling")


def signal(
    host: Annotated[str | None, typer.Option(help="Address to listen on; 0.0.0.0 for all. Default: 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="TCP port; 0 takes a free one. Default: 8765.")] = None,
    max_rooms: Annotated[int | None, typer.Option(help="Rooms open at one time. Default: 1000.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log who comes and goes.")] = False,
) -> None:
    """Run the server through which two peers find each other. It never sees media.

    Open without FACEWIRE_TOKEN_SECRET; with it only links from `POST /rooms` open a room (docs/operations.md).
    """
    settings = read_settings(
        SignalSettings, host=host, port=port, max_rooms=max_rooms, log_level="info" if verbose else None
    )
    set_up(settings.log_format, settings.log_level)
    check_tls(settings)
    if not settings.guarded and settings.host not in ("127.0.0.1", "::1", "localhost"):
        log.warning("open to whoever reaches %s: no FACEWIRE_TOKEN_SECRET is set", settings.host)
    with listen(settings) as listener:
        asyncio.run(serve(settings, listener, ready=lambda url: typer.echo(f"signal: ready on {url}")))


def check_tls(settings: SignalSettings) -> None:
    """Raise SettingError for a certificate and key that cannot be used."""
    certificate, key = settings.tls_certificate_file, settings.tls_key_file
    if certificate is None or key is None:
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key, password=lambda: "")
    except OSError as error:  # ssl.SSLError, too
        why = error.strerror or type(error).__name__
        raise SettingError(
            f"expected a PEM certificate in {certificate} and its key, without a password, in {key}: {why}"
        ) from None


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
    """uvicorn, saying when it is ready and on which port; peers are told before their sockets close."""

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[str], None], switchboard: Switchboard | None = None
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._switchboard = switchboard

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start accepting, then tell."""
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            scheme = "wss" if self.config.is_ssl else "ws"
            self._ready(f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let rooms fill, tell the peers, then close. A second Ctrl-C is not waited for."""
        if self._switchboard is not None:
            log.info("stopping: no new rooms; calls under way go on without this server")
            await self._switchboard.stop(lambda: self.force_exit)
        await super().shutdown(sockets)


def build_server(settings: SignalSettings, ready: Callable[[str], None]) -> Server:
    """Put the app and its limits into a server that is not running yet."""
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        http=PatientHttp.of(settings.join_timeout_s),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        limit_concurrency=2 * settings.max_sockets,
        ssl_certfile=settings.tls_certificate_file,
        ssl_keyfile=settings.tls_key_file,
        # Four times our own limit: up to there the peer is told in words, beyond it uvicorn just closes (code 1009).
        ws_max_size=4 * settings.max_message_bytes,
        ws_ping_interval=settings.ping_interval_s,
        ws_ping_timeout=settings.ping_interval_s,
        ws_per_message_deflate=False,  # a compressed message could be a bomb, and an SDP is small
        timeout_graceful_shutdown=max(1, round(settings.grace_s)),
    )
    return Server(config, ready, app.state.switchboard)


async def serve(settings: SignalSettings, listener: socket.socket, ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    await build_server(settings, ready).serve(sockets=[listener])
