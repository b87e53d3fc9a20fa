"""Who gets as far as a seat: origin, addresses that come too often, tokens, floods. No sockets; time is passed in.

socket opens     Gate.open     foreign_origin, stopping, too_many_sockets, too_many_joins
join             Visit.admit   no_token, bad_token, token_expired, wrong_room, token_used
each message     Visit.hear    too_many_messages, bad_description
socket closes    Visit.end
"""

import time
from collections.abc import Callable, Mapping

from signaling.errors import Refusal, RefusalCode
from signaling.limits import Bucket, Rates, network_of
from signaling.messages import Description, Join, PeerMessage
from signaling.room_store import RoomStore
from signaling.settings import SignalSettings
from signaling.tokens import SeatToken, make_signer

BURST = 10
"""Seconds' worth of messages that may come at once: a call that is made again and again is no flood."""
CANDIDATE_LINE = "a=candidate:"


class Gate:
    """The limits and the tokens of one server."""

    def __init__(self, settings: SignalSettings, store: RoomStore, now: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self.store = store
        self.now = now
        self.signer = make_signer(settings)
        self.sockets = 0
        """Visits that have not ended."""
        self.stopping = False
        self._joins = Rates(settings.joins_per_min, settings.joins_per_min / 60)
        self._requests = Rates(settings.requests_per_min, settings.requests_per_min / 60)

    def open(self, headers: Mapping[str, str], address: str) -> "Visit":
        """Let a socket in, as far as the join message. Raises Refusal."""
        origin = headers.get("origin")
        if origin is not None and origin not in self.settings.allowed_origins:
            raise Refusal(
                RefusalCode.FOREIGN_ORIGIN, "expected no web page, or one that FACEWIRE_ALLOWED_ORIGINS names"
            )
        if self.sockets >= self.settings.max_sockets:
            raise Refusal(
                RefusalCode.TOO_MANY_SOCKETS,
                f"expected fewer than {self.settings.max_sockets} connections, all are taken: try again later",
            )
        if not self._joins.take(network_of(address), self.now()):
            raise Refusal(
                RefusalCode.TOO_MANY_JOINS,
                f"expected at most {self.settings.joins_per_min:g} joins a minute from one address, more came",
            )
        self.sockets += 1
        return Visit(self)

    def may_ask(self, address: str) -> bool:
        """Whether this address may make another HTTP request now."""
        return self._requests.take(network_of(address), self.now())


class Visit:
    """One socket, from its opening to its end."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        per_s = gate.settings.messages_per_s
        self._messages = Bucket(max(1.0, BURST * per_s), per_s, max(1.0, BURST * per_s), gate.now())

    def hear(self, message: PeerMessage) -> None:
        """Take note of a message. Raises Refusal for one too many, and for a description that no program makes."""
        settings = self._gate.settings
        if not self._messages.take(self._gate.now()):
            raise Refusal(
                RefusalCode.TOO_MANY_MESSAGES,
                f"expected at most {settings.messages_per_s:g} messages a second, more came",
            )
        if isinstance(message, Description) and message.sdp.count(CANDIDATE_LINE) > settings.max_candidates:
            raise Refusal(
                RefusalCode.BAD_DESCRIPTION,
                f"expected at most {settings.max_candidates} candidates in a description, got "
                f"{message.sdp.count(CANDIDATE_LINE)}",
            )

    async def admit(self, join: Join, room: str) -> SeatToken | None:
        """Check the token of a join; None where the server is open. Raises Refusal."""
        gate = self._gate
        if gate.signer is None:
            return None
        token = gate.signer.read(join.token, room)
        if (
            gate.settings.token_once
            and join.seat is None
            and not await gate.store.first_use(token.jti, token.good_for_s)
        ):
            raise Refusal(
                RefusalCode.TOKEN_USED, "expected a token that nobody has used, this one was: ask for a new link"
            )
        return token

    def end(self) -> None:
        """The socket is closed."""
        self._gate.sockets -= 1
