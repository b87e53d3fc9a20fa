"""Two real peers that meet through a real coturn, with the credentials that the signaling server gives to seats."""

import asyncio
import secrets
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from signaling.control_messages import Idle
from signaling.errors import ConnectFailed
from signaling.settings import TransportSettings
from signaling.ways import Ways
from tests.loopback.meeting import joined
from tests.signaling.guarded import guarded_server

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("turnserver") is None, reason="needs coturn: apt-get install coturn"),
]


@dataclass
class Relay:
    """A running coturn."""

    secret: str
    port: int
    tls_port: int

    @property
    def urls(self) -> dict[str, str]:
        """Its addresses by the kind of transport."""
        return {
            "udp": f"turn:127.0.0.1:{self.port}?transport=udp",
            "tcp": f"turn:127.0.0.1:{self.port}?transport=tcp",
            "tls": f"turns:127.0.0.1:{self.tls_port}?transport=tcp",
        }


def free_port() -> int:
    """A port that is free for UDP and was, a moment ago, for TCP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(folder: Path) -> tuple[Relay, "subprocess.Popen[bytes]"]:
    """Start coturn on this machine alone, with a certificate of its own."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=relay"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-out", str(certificate), "-keyout", str(key)]
    subprocess.run(["openssl", *words.split(), *names], check=True, capture_output=True)
    made = Relay(secrets.token_hex(32), free_port(), free_port())
    (folder / "turn.conf").write_text(
        f"listening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nlistening-port={made.port}\ntls-listening-port={made.tls_port}\n"
        f"use-auth-secret\nstatic-auth-secret={made.secret}\nrealm=facewire.test\ncert={certificate}\npkey={key}\n"
        f"allow-loopback-peers\nno-cli\nno-dtls\nuserdb={folder}/db\npidfile={folder}/pid\nlog-file=stdout\nsimple-log\n"
    )
    with (folder / "log").open("wb") as log:
        command = ["turnserver", "-c", str(folder / "turn.conf")]
        return made, subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)


@pytest.fixture
async def relay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Relay]:
    """Run a relay whose certificate this process trusts."""
    made, server = start(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    try:
        async with asyncio.timeout(20):
            await _answers(made.tls_port)
            await _answers(made.port)
        yield made
    finally:
        server.kill()
        server.wait()


async def _answers(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        return


async def make_ways(relay: Relay, kind: str, secret: str | None = None) -> list[Ways]:
    """What the two seats of a room learn from a server that knows the relay's secret, or believes it does."""
    async with guarded_server(turn_secret=secret or relay.secret, turn_urls=",".join(relay.urls.values())) as server:
        both = [Ways(TransportSettings(relay_only=True, turn_transport=kind)) for _ in "12"]  # type: ignore[arg-type]
        for seat, ways in zip("12", both, strict=True):
            await ways.learn(server.url, server.token(seat))
    return both


@pytest.mark.parametrize("kind", ["udp", "tcp", "tls"])
async def test_peers_meet_through_the_relay_and_nowhere_else(relay: Relay, kind: str) -> None:
    first, second = (ways.make_peer() for ways in await make_ways(relay, kind))
    async with joined(first, second):
        assert (first.relayed, second.relayed) == (True, True)
        first.control.send(Idle(reason="through the relay"))
        assert (await second.control.expect(Idle)).reason == "through the relay"
        media = asyncio.get_running_loop().create_future()
        second.on_media = media.set_result
        before = first.tap.sent.bytes
        first.send_media(b"x" * 100)
        assert await asyncio.wait_for(media, 5) == b"x" * 100
        assert first.tap.sent.bytes - before > 100 + 28


async def test_credential_of_another_secret_opens_no_relay(relay: Relay) -> None:
    first, second = (ways.make_peer() for ways in await make_ways(relay, "udp", secrets.token_hex(32)))
    try:
        offer = await first.offer()
        assert "a=candidate" not in offer
        await first.accept(await second.answer(offer))
        with pytest.raises(ConnectFailed):
            await first.wait_open(3)
    finally:
        await first.close()
        await second.close()
