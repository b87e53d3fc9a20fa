"""One WebRTC peer connection with the call's two data channels, and how two peers come to have one.

    media     unordered, never retransmitted: what is late is worthless
    control   reliable, ordered: see control.py

Both sides create both channels by number before the offer (negotiated), so neither waits to be told of them. What the
connection spends on packets, and how less: sctp.py.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from aiortc import RTCIceServer, RTCSessionDescription

from signaling.client import SignalingClient
from signaling.connection import make_connection
from signaling.control import ControlChannel
from signaling.errors import ConnectFailed, PeerGone, SignalingError
from signaling.ice_hooks import Impair, UdpTap, address_gone, relayed, use_relay_only
from signaling.messages import Description, PeerLeft
from signaling.sctp import TunedSctp
from signaling.settings import TransportSettings, read_settings
from signaling.tasks import first_to_end, for_ever

CONTROL_ID, MEDIA_ID = 0, 1
CONNECT_TIMEOUT_S = 15.0
CLOSE_TIMEOUT_S = 2.0
MOST_CANDIDATES = 64
"""Each address in a description gets packets from us, so that many of them would be an attack on others."""
ABORT_TIMEOUT_S = 0.5


class Peer:
    """One end of a call: `media` and `control`, and the bytes that both cost on the wire.

    `tap.sent` and `tap.received` are live: every datagram with 28 B of headers, or nothing where not `tap.attached`.
    Args: tuned: fewer packets (sctp.py) or stock aiortc; None asks FACEWIRE_TUNED_SCTP. relay_only: no way but through
    a TURN server. Raises SettingError, ConnectFailed.
    """

    def __init__(
        self,
        ice_servers: Sequence[RTCIceServer] = (),
        impair: Impair | None = None,
        now: Callable[[], float] = time.monotonic,
        tuned: bool | None = None,
        relay_only: bool = False,
    ) -> None:
        wanted = read_settings(TransportSettings, tuned_sctp=tuned).tuned_sctp
        self._connection = make_connection(ice_servers, wanted)
        self.control = ControlChannel(self._connection.createDataChannel("control", negotiated=True, id=CONTROL_ID))
        self._media = self._connection.createDataChannel(
            "media", negotiated=True, id=MEDIA_ID, ordered=False, maxRetransmits=0
        )
        self.tap = UdpTap(impair, now)
        self.tap.attach(self._connection)
        if relay_only and not use_relay_only(self._connection):
            raise ConnectFailed("expected an aiortc that can be held to a relay, this version looks different inside")
        self.on_media: Callable[[bytes], None] = lambda message: None
        """Called for each media message that comes in."""
        self.on_media_crossed: Callable[[bool, bytes], None] = lambda sent, message: None
        """Called for each media message, with whether it was sent, for a recording."""
        self.now = now
        self.began_s = now()
        self.heard_s = now()
        """When the last message came in on either channel."""
        self.control.on_heard = self._on_heard
        self.closed = asyncio.Event()
        """Set when the connection has failed, or was closed by either side."""
        self._opened = asyncio.Event()
        self._media.on("open", self._opened.set)
        self._media.on("message", self._on_media)
        self._media.on("close", self.closed.set)
        self._connection.on("connectionstatechange", self._on_state)
        self._way_found = asyncio.Event()
        self._connection.on("iceconnectionstatechange", self._on_ice_state)
        self.tuned = isinstance(self._connection.sctp, TunedSctp)
        """Whether packets are saved; the other side need not."""
        self._closing: asyncio.Task[None] | None = None

    async def offer(self) -> str:
        """Make the SDP offer, all candidates gathered."""
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return self._connection.localDescription.sdp

    async def answer(self, offer_sdp: str) -> str:
        """Take the other side's offer and make the SDP answer. Raises ConnectFailed for an offer that is none."""
        await self._take(offer_sdp, "offer")
        await self._connection.setLocalDescription(await self._connection.createAnswer())
        return self._connection.localDescription.sdp

    async def accept(self, answer_sdp: str) -> None:
        """Take the other side's answer. Raises ConnectFailed for an answer that is none."""
        await self._take(answer_sdp, "answer")

    async def _take(self, sdp: str, kind: str) -> None:
        if sdp.count("a=candidate:") > MOST_CANDIDATES:
            raise ConnectFailed(f"expected at most {MOST_CANDIDATES} addresses in an SDP {kind}, got more")
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(sdp, kind))
        except Exception as error:  # aiortc's SDP parser fails in as many ways as there are bad SDPs
            raise ConnectFailed(f"expected an SDP {kind} with data channels, got one that cannot be used") from error
        if "m=application" not in sdp:
            raise ConnectFailed(f"expected an SDP {kind} with data channels, got one without")

    async def wait_open(self, timeout_s: float = CONNECT_TIMEOUT_S) -> None:
        """Wait until both channels are open. Raises ConnectFailed."""
        waits = [asyncio.create_task(event.wait()) for event in (self._opened, self.closed)]
        try:
            await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if not self._opened.is_set() or self.closed.is_set():
            state = self._connection.iceConnectionState
            raise ConnectFailed(
                f"expected a connection to the other side within {timeout_s:g} s, got none (ICE: {state}): "
                "do the two machines reach each other by UDP?"
            )

    def send_media(self, message: bytes) -> None:
        """Send a media message; it arrives once or never. Raises PeerGone on a closed channel."""
        if self._media.readyState != "open":
            raise PeerGone("expected the other side to stay on the line, its media channel is closed")
        self._media.send(message)
        self.on_media_crossed(True, message)

    @property
    def media_waiting_bytes(self) -> int:
        """Bytes of media messages that have not reached the socket yet."""
        return self._media.bufferedAmount

    @property
    def address_gone(self) -> bool:
        """Whether this machine's address has changed under the connection; only a new peer gets through then."""
        return address_gone(self._connection)

    @property
    def relayed(self) -> bool | None:
        """Whether a TURN server is on the way; None while there is no way."""
        return relayed(self._connection)

    async def close(self) -> None:
        """Close the connection; the other side notices at once if it still hears us.

        Takes 2.5 s at most, then what is left is cut off. Where the caller is cancelled closing goes on without it.
        """
        self.closed.set()
        if self._closing is None:
            self._closing = asyncio.create_task(self._connection.close(), name="close the peer connection")
        done, _ = await asyncio.wait([self._closing], timeout=CLOSE_TIMEOUT_S)
        if not done:
            self.tap.abort()
            await asyncio.wait([self._closing], timeout=ABORT_TIMEOUT_S)
            self._closing.cancel()

    def _on_media(self, message: str | bytes) -> None:
        self._on_heard()
        content = message.encode() if isinstance(message, str) else message
        self.on_media_crossed(False, content)
        self.on_media(content)

    def _on_heard(self) -> None:
        self.heard_s = self.now()

    async def wait_way(self, timeout_s: float) -> None:
        """Wait until ICE has found a way to the other side; the channels open over it. Raises ConnectFailed."""
        try:
            async with asyncio.timeout(timeout_s):
                await first_to_end(self._way_found.wait(), self.closed.wait())
        except TimeoutError:
            raise ConnectFailed(f"expected a way to the other side within {timeout_s:g} s, found none") from None

    def _on_ice_state(self) -> None:
        if self._connection.iceConnectionState in ("connected", "completed"):
            self._way_found.set()

    def _on_state(self) -> None:
        if self._connection.connectionState in ("failed", "closed"):
            self.closed.set()


MakePeer = Callable[[], Peer]


async def call_receiver(client: SignalingClient, make_peer: MakePeer, wait_s: float) -> Peer:
    """The sender's side: wait for the other seat, offer, connect.

    Raises NobodyCame, PeerGone, ConnectFailed, Refusal, ServerLost.
    """
    await client.wait_for_peer(wait_s)
    peer = make_peer()
    try:
        offer = Description(kind="offer", call=secrets.token_hex(8), sdp=await peer.offer())
        await client.send(offer)
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            while (answer := await _wait_description(client, "answer")).call != offer.call:
                pass
        await peer.accept(answer.sdp)
        await first_to_end(peer.wait_open(), _leaving(client))
    except TimeoutError:
        await peer.close()
        raise ConnectFailed(
            f"expected the receiver in room '{client.room}' to answer within {CONNECT_TIMEOUT_S:g} s, it did not"
        ) from None
    except BaseException:
        await peer.close()
        raise
    return peer


async def answer_sender(client: SignalingClient, make_peer: MakePeer, wait_s: float) -> Peer:
    """The receiver's side: wait for an offer, answer, connect. A sender that leaves before that is forgotten.

    Raises NobodyCame, ConnectFailed, Refusal, ServerLost.
    """
    deadline = asyncio.get_running_loop().time() + wait_s
    while True:
        with suppress(PeerGone):
            try:
                async with asyncio.timeout_at(deadline):
                    offer = await _wait_description(client, "offer")
            except TimeoutError:
                raise client.nobody_came(wait_s) from None
            return await _answer_one(client, make_peer, offer)


async def _answer_one(client: SignalingClient, make_peer: MakePeer, offer: Description) -> Peer:
    peer = make_peer()
    try:
        await client.send(Description(kind="answer", call=offer.call, sdp=await peer.answer(offer.sdp)))
        await first_to_end(peer.wait_open(), _leaving(client))
    except BaseException:
        await peer.close()
        raise
    return peer


async def _wait_description(client: SignalingClient, kind: str) -> Description:
    """Wait for the other seat's offer or answer. Raises PeerGone where it leaves first."""
    while True:
        message = await client.receive()
        if isinstance(message, Description) and message.kind == kind:
            return message
        if isinstance(message, PeerLeft):
            raise PeerGone(f"expected the {message.role} to call, it left room '{client.room}'")


async def _leaving(client: SignalingClient) -> None:
    """Raise PeerGone when the other seat is free. A lost server is no reason: both sides have what they need of it."""
    await wait_until_left(client)
    raise PeerGone(f"the other side left room '{client.room}' while connecting")


async def wait_until_left(client: SignalingClient) -> None:
    """Return when signaling says that the other seat is free; never, where signaling itself is lost before that."""
    try:
        while not isinstance(await client.receive(), PeerLeft):
            pass
    except SignalingError:
        await for_ever()
