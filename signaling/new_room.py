"""`facewire room`: makes a room on a guarded signaling server and prints its two links, for the operators.

Uses the standard library alone, so that it runs wherever the server does.
"""

import http.client
import json
import os
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from pydantic import BaseModel, ValidationError

from signaling.errors import RoomNotMade, SettingError

TIMEOUT_S = 10.0
PROGRAMS = ("send", "receive")
"""Names of the files in which `--links` leaves one link each, after the programs that read them in containers."""
SCHEMES = {"ws": "http", "wss": "https"}


class _Seat(BaseModel):
    link: str


class _Room(BaseModel):
    seats: tuple[_Seat, _Seat]


def room(
    server: Annotated[
        str | None, typer.Option(help="Signaling server, ws:// or wss://. Default: the one of this machine's settings.")
    ] = None,
    api_key_file: Annotated[
        Path | None, typer.Option(help="File with an operator's key. Default: FACEWIRE_API_KEY_FILE.")
    ] = None,
    lifetime: Annotated[int | None, typer.Option(help="Seconds that the links are good for.", min=60)] = None,
    trust: Annotated[Path | None, typer.Option(help="PEM file of a certificate to trust besides the usual.")] = None,
    links: Annotated[Path | None, typer.Option(help="Folder for the links, as files send and receive.")] = None,
) -> None:
    """Make a room and print its two links, one for each person. Whoever has a link may take that seat."""
    found = ask_for_room(server or own_server(), read_key(api_key_file), lifetime, trust)
    if links is not None:
        for program, link in zip(PROGRAMS, found, strict=True):
            (links / program).write_text(link + "\n")
        typer.echo(f"room: two links are in {links}")
        return
    for link in found:
        typer.echo(link)


def read_key(file: Path | None) -> str:
    """Read an operator's key, the first where there are several. Raises SettingError."""
    named = file or (Path(os.environ["FACEWIRE_API_KEY_FILE"]) if os.environ.get("FACEWIRE_API_KEY_FILE") else None)
    try:
        text = named.read_text() if named is not None else os.environ.get("FACEWIRE_API_KEY", "")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"expected a file with an operator's key, got {named}: {error}") from None
    key = text.split(",")[0].strip()
    if not key or not key.isascii() or not key.isprintable():
        raise SettingError("expected an operator's key: --api-key-file, or FACEWIRE_API_KEY_FILE in the environment")
    return key


def own_server() -> str:
    """Return where the server that runs with these settings is reached on this machine itself."""
    scheme = "wss" if os.environ.get("FACEWIRE_TLS_CERTIFICATE_FILE") else "ws"
    return f"{scheme}://127.0.0.1:{os.environ.get('FACEWIRE_PORT') or 8765}"


def ask_for_room(server: str, key: str, lifetime_s: int | None = None, trust: Path | None = None) -> list[str]:
    """Ask a server for a room and return its two links. Raises RoomNotMade, SettingError."""
    parts = urlsplit(server)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise SettingError(f"expected a server like wss://calls.example.com:8765, got {server!r}")
    wish = {} if lifetime_s is None else {"lifetime_s": lifetime_s}
    request = urllib.request.Request(
        f"{SCHEMES[parts.scheme]}://{parts.netloc}/rooms",
        data=json.dumps(wish).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=_trusting(parts.hostname, trust)) as answer:
            made = _Room.model_validate_json(answer.read(65536))
    except urllib.error.HTTPError as error:
        raise RoomNotMade(f"expected a room from {server}, it says no ({error.code}): {_reason(error)}") from None
    except (OSError, http.client.HTTPException, ValidationError) as error:
        why = getattr(error, "reason", None) or type(error).__name__
        raise RoomNotMade(f"expected a room from {server}, got no answer that says one: {why}") from None
    return [seat.link for seat in made.seats]


def _reason(error: urllib.error.HTTPError) -> str:
    """What the server says, in its words."""
    try:
        body: Any = json.loads(error.read(65536))
        return str(body["reason"])[:300]
    except (ValueError, KeyError, TypeError):
        return error.reason


def _trusting(host: str, trust: Path | None) -> ssl.SSLContext:
    if host in ("127.0.0.1", "::1", "localhost"):
        return ssl._create_unverified_context()  # nobody stands between, and the certificate has the public name
    context = ssl.create_default_context()
    if trust is not None:
        try:
            context.load_verify_locations(trust)
        except OSError as error:
            raise SettingError(f"expected a PEM certificate in {trust}: {error.strerror or error}") from None
    return context
