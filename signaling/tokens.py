"""Seat tokens: who may take which seat of which room, until when. Signed JSON Web Tokens (RFC 7519, HS256).

    {"room": "...", "seat": "1", "exp": 1790000000, "jti": "..."}

A token travels in the fragment of a link and in the `join` message, never in an address that some server logs.
"""

import secrets
import time
from typing import Annotated, Final, Literal

import jwt
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from signaling.errors import Refusal, RefusalCode
from signaling.settings import SignalSettings

ALGORITHM: Final = "HS256"
CLOCKS_DIFFER_S: Final = 5
"""By how much the clocks of two servers may differ."""
SEATS: Final[tuple[Literal["1"], Literal["2"]]] = ("1", "2")


class SeatToken(BaseModel):
    """What a token says."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    room: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    seat: Literal["1", "2"]
    exp: Annotated[int, Field(ge=0, lt=1 << 53)]
    """When it expires, in seconds since 1970."""
    jti: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    """Its own name."""

    @property
    def good_for_s(self) -> float:
        """Seconds until it expires."""
        return max(0.0, self.exp + CLOCKS_DIFFER_S - time.time())


class Signer:
    """Signs tokens and reads them. Knows the secret, and the one before it."""

    def __init__(self, secret: SecretStr, before: SecretStr | None = None) -> None:
        self._secret = secret
        self._known = [secret] if before is None else [secret, before]

    def sign(self, room: str, seat: Literal["1", "2"], lifetime_s: int) -> str:
        """Make a token that is good for so many seconds from now."""
        token = SeatToken(room=room, seat=seat, exp=int(time.time()) + lifetime_s, jti=secrets.token_hex(8))
        return jwt.encode(token.model_dump(), self._secret.get_secret_value(), ALGORITHM)

    def read(self, text: str | None, room: str | None = None) -> SeatToken:
        """Read a token; with `room` it must be of this one.

        Raises Refusal: no_token, bad_token (altered, of another server, none at all), token_expired, wrong_room.
        """
        if not text:
            raise Refusal(
                RefusalCode.NO_TOKEN,
                "expected a link with a token (.../rooms/NAME#TOKEN), this has none: ask who runs the server",
            )
        token = self._verify(text)
        if room is not None and token.room != room:
            raise Refusal(
                RefusalCode.WRONG_ROOM, "expected a token of this room, got another room's: use the link whole"
            )
        return token

    def _verify(self, text: str) -> SeatToken:
        for secret in self._known:
            try:
                claims = jwt.decode(text, secret.get_secret_value(), algorithms=[ALGORITHM], leeway=CLOCKS_DIFFER_S)
                return SeatToken.model_validate(claims)
            except jwt.InvalidSignatureError:
                continue
            except jwt.ExpiredSignatureError:
                raise Refusal(
                    RefusalCode.TOKEN_EXPIRED,
                    "expected a token that is still good, this one has expired: ask for a new link",
                ) from None
            except (jwt.InvalidTokenError, ValidationError, ValueError):
                break
        raise Refusal(
            RefusalCode.BAD_TOKEN, "expected a token that this server signed, got another: copy the link whole"
        )


def make_signer(settings: SignalSettings) -> Signer | None:
    """Make the signer of a guarded server; None for an open one."""
    if settings.token_secret is None:
        return None
    return Signer(settings.token_secret, settings.token_secret_before)
