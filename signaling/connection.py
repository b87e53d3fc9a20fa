"""aiortc's peer connection, with fewer bytes a packet where its version is one that was checked.

`TunedConnection` differs from the stock one in two places that aiortc has no setting for, both of this one connection:
its SCTP transport is `sctp.TunedSctp`, and its DTLS prefers ChaCha20-Poly1305, whose records do without the 8 bytes of
nonce that AES-GCM puts into each (RFC 7905; aiortc offers both ciphers, so stock peers agree). Both reach into private
members. So it is used only for versions of aiortc whose source was read for it and which have these members; any other
gets the stock connection and one line in the log. FACEWIRE_TUNED_SCTP=0 does the same.
"""

import inspect
import logging
from collections.abc import Sequence
from functools import cache
from typing import Any

import aiortc
from aiortc import RTCCertificate, RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSctpTransport
from OpenSSL import SSL

from signaling.sctp import TunedSctp

log = logging.getLogger("facewire.sctp")

CHECKED_VERSIONS = frozenset({"1.16.0"})
"""Before 1.16 SCTP counts flight size and gives up messages differently."""

CIPHERS = b"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA"

METHODS = {
    "_receive_data_chunk": ["self", "chunk"],
    "_receive_sack_chunk": ["self", "chunk"],
    "_send_chunk": ["self", "chunk"],
    "_send_sack": ["self"],
    "_set_state": ["self", "state"],
    "_t3_expired": ["self"],
    "_transmit": ["self"],
    "_update_advanced_peer_ack_point": ["self"],
    "_update_rto": ["self", "R"],
    "start": ["self", "remoteCaps", "remotePort"],
}
MEMBERS = {
    "_advanced_peer_ack_tsn",
    "_association_state",
    "_cwnd",
    "_forward_tsn_chunk",
    "_last_received_tsn",
    "_last_sacked_tsn",
    "_loop",
    "_sack_duplicates",
    "_sack_misordered",
    "_sack_needed",
    "_sent_queue",
    "_t3_handle",
}
CREATE, SCTP, CERTIFICATES = (
    f"_RTCPeerConnection__{name}" for name in ("createSctpTransport", "sctp", "certificates")
)  # how Python spells a class's own double underscore


def make_connection(ice_servers: Sequence[RTCIceServer], tuned: bool) -> RTCPeerConnection:
    """Make a peer connection: tuned where that is wanted and possible."""
    # The list is always given: without one aiortc asks a public STUN server, which takes 5 s where there is none.
    configuration = RTCConfiguration(iceServers=list(ice_servers))
    kind = TunedConnection if tuned and can_be_tuned() else RTCPeerConnection
    return kind(configuration)


@cache
def can_be_tuned() -> bool:
    """Whether this aiortc is one that was checked; says once why not."""
    reason = why_stock(aiortc.__version__)
    if reason is not None:
        log.warning("SCTP stays as aiortc has it, with twice the packets: %s", reason)
    return reason is None


def why_stock(version: str, transport: type = RTCSctpTransport, connection: type = RTCPeerConnection) -> str | None:
    """Say what keeps this aiortc from being tuned, or None."""
    if version not in CHECKED_VERSIONS:
        return f"expected aiortc {' or '.join(sorted(CHECKED_VERSIONS))}, found {version}"
    missing = MEMBERS - set(transport.__init__.__code__.co_names)  # type: ignore[misc]
    missing |= {name for name, parameters in METHODS.items() if _parameters(transport, name) != parameters}
    missing |= {SCTP, CERTIFICATES} - set(connection.__init__.__code__.co_names)  # type: ignore[misc]
    missing |= {CREATE} - set(vars(connection))
    if _parameters(RTCCertificate, "_create_ssl_context") != ["self", "srtp_profiles"]:
        missing.add("_create_ssl_context")
    return f"its {', '.join(sorted(missing))} are not as expected" if missing else None


def _parameters(owner: type, name: str) -> list[str] | None:
    method = getattr(owner, name, None)
    return list(inspect.signature(method).parameters) if callable(method) else None


class _Certificate(RTCCertificate):
    """Puts the cipher with the shortest records first, on either side of the handshake."""

    def _create_ssl_context(self, srtp_profiles: Any) -> SSL.Context:
        context = super()._create_ssl_context(srtp_profiles)
        context.set_options(SSL.OP_CIPHER_SERVER_PREFERENCE)
        context.set_cipher_list(CIPHERS)
        return context


class TunedConnection(RTCPeerConnection):
    """A peer connection that sends fewer and shorter packets."""

    def __init__(self, configuration: RTCConfiguration) -> None:
        super().__init__(configuration)
        setattr(self, CERTIFICATES, [_Certificate.generateCertificate()])

    def _RTCPeerConnection__createSctpTransport(self) -> None:
        getattr(super(), CREATE)()
        plain = self.sctp
        assert plain is not None, "the method above has just made it"
        tuned = TunedSctp(plain.transport, plain.port)
        tuned._bundled, tuned.mid = plain._bundled, plain.mid
        for listener in plain.listeners("datachannel"):
            tuned.on("datachannel", listener)
        setattr(self, SCTP, tuned)
