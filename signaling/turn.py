"""Credentials for a TURN server that last an hour: coturn's `use-auth-secret` (draft-uberti-behave-turn-rest).

    username   = when it expires, in seconds since 1970, ":", who it was made for
    credential = base64(HMAC-SHA1(static-auth-secret, username))

coturn knows the secret and needs no list of users. A call that stands goes on when its credential has expired.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable

from pydantic import BaseModel, Field

from signaling.settings import SignalSettings
from signaling.tokens import SeatToken


class IceServer(BaseModel):
    """One entry, as browsers and aiortc take it."""

    urls: list[str]
    username: str | None = None
    credential: str | None = Field(default=None, repr=False)


class IceServers(BaseModel):
    """The servers through which a peer may find its way."""

    ice_servers: list[IceServer]
    good_for_s: int
    """Seconds in which a connection must begin that uses them."""


def ice_servers_for(seat: SeatToken, settings: SignalSettings, now: Callable[[], float] = time.time) -> IceServers:
    """Make the list for one seat."""
    servers = [IceServer(urls=list(settings.stun_urls))] if settings.stun_urls else []
    if settings.turn_secret is not None:
        username = f"{int(now()) + settings.turn_credential_s}:{seat.room}.{seat.seat}"
        servers.append(
            IceServer(
                urls=list(settings.turn_urls),
                username=username,
                credential=turn_credential(settings.turn_secret.get_secret_value(), username),
            )
        )
    return IceServers(ice_servers=servers, good_for_s=settings.turn_credential_s)


def turn_credential(secret: str, username: str) -> str:
    """Return the password that coturn expects of this user."""
    return base64.b64encode(hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()).decode()
