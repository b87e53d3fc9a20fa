"""connection.py: which aiortc gets tuned, and that no other connection is touched."""

import logging

import aiortc
import pytest
from aiortc import RTCPeerConnection, RTCSctpTransport

from signaling.connection import TunedConnection, can_be_tuned, make_connection, why_stock
from signaling.errors import SettingError
from signaling.peer import Peer
from signaling.sctp import TunedSctp


def test_why_stock_the_locked_version_is_tuned() -> None:
    assert why_stock(aiortc.__version__) is None


@pytest.mark.parametrize("version", ["1.14.0", "1.15.0", "1.17.0", "2.0.0"])
def test_why_stock_a_version_that_was_not_checked(version: str) -> None:
    assert why_stock(version) == f"expected aiortc 1.16.0, found {version}"


def test_why_stock_names_what_is_not_as_expected() -> None:
    class Renamed(RTCSctpTransport):
        async def _send_sack(self, now: bool) -> None:  # type: ignore[override]
            pass

        def __init__(self) -> None:
            self._sent = self._sack_needed = None  # type: ignore[assignment]

    class Other(RTCPeerConnection):
        pass

    said = why_stock("1.16.0", Renamed, Other)
    assert said is not None
    assert "_sent_queue" in said
    assert "_send_sack" in said
    assert "_sack_needed" not in said
    assert "_transmit" not in said
    assert "_RTCPeerConnection__createSctpTransport" in said


async def test_make_connection_of_another_version_is_stock_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(aiortc, "__version__", "1.15.0")
    can_be_tuned.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            connections = [make_connection([], tuned=True) for _ in range(2)]
    finally:
        can_be_tuned.cache_clear()
    assert [type(each) for each in connections] == [RTCPeerConnection] * 2
    assert [record.getMessage() for record in caplog.records] == [
        "SCTP stays as aiortc has it, with twice the packets: expected aiortc 1.16.0, found 1.15.0"
    ]
    for each in connections:
        await each.close()


async def test_tuned_connection_leaves_the_stock_class_alone() -> None:
    tuned, plain = make_connection([], tuned=True), RTCPeerConnection()
    for each in (tuned, plain):
        each.createDataChannel("x")
    assert isinstance(tuned, TunedConnection)
    assert type(tuned.sctp) is TunedSctp
    assert type(plain.sctp) is RTCSctpTransport
    for each in (tuned, plain):
        await each.close()


@pytest.mark.parametrize(("value", "tuned"), [("0", False), ("false", False), ("1", True), (None, True)])
async def test_peer_environment_switches_it_off(
    monkeypatch: pytest.MonkeyPatch, value: str | None, tuned: bool
) -> None:
    if value is None:
        monkeypatch.delenv("FACEWIRE_TUNED_SCTP", raising=False)
    else:
        monkeypatch.setenv("FACEWIRE_TUNED_SCTP", value)
    peer, asked = Peer(), Peer(tuned=not tuned)
    assert (peer.tuned, asked.tuned) == (tuned, not tuned)
    await peer.close()
    await asked.close()


async def test_peer_environment_that_is_neither_yes_nor_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEWIRE_TUNED_SCTP", "perhaps")
    with pytest.raises(SettingError, match="expected settings in their ranges"):
        Peer()
