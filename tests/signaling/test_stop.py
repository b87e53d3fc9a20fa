"""How the server ends, and how it begins with TLS: real processes and real signals."""

import asyncio
import re
import ssl
import subprocess
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from signaling.cli import check_tls
from signaling.client import SignalingClient
from signaling.errors import Refusal, RefusalCode, SettingError
from signaling.messages import PeerJoined, PeerLeft
from signaling.settings import SignalSettings
from tests.signaling.guarded import API_KEY, guarded_server, seated
from tests.signaling.running import running_server

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key, as PEM files."""
    folder = tmp_path_factory.mktemp("tls")
    paths = folder / "certificate.pem", folder / "key.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=facewire"
    subprocess.run(
        ["openssl", *words.split(), "-addext", "subjectAltName=IP:127.0.0.1", "-out", paths[0], "-keyout", paths[1]],
        check=True,
        capture_output=True,
    )
    return paths


async def test_stop_lets_open_rooms_fill_refuses_new_ones_and_tells_the_peers() -> None:
    """No new rooms, then goodbye: what Kubernetes and compose call draining."""
    first: SignalingClient | None = None
    async with running_server(drain_s=3, grace_s=3) as url:
        first = await SignalingClient.join(url, "open", "receiver")
        stopping = asyncio.get_running_loop().create_future()

        async def look() -> None:
            async with httpx.AsyncClient(trust_env=False) as http:
                while (await http.get(url.replace("ws", "http", 1) + "/readyz")).status_code == 200:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            with pytest.raises(Refusal) as refused:
                await SignalingClient.join(url, "new", "sender")
            assert refused.value.code is RefusalCode.STOPPING
            stopping.set_result(await SignalingClient.join(url, "open", "sender"))

        looking = asyncio.create_task(look())
    await looking
    second = await stopping
    assert await first.receive() == PeerJoined(role="sender")
    for client in (first, second):
        with pytest.raises(Refusal, match="about to stop") as refused:
            await _hear_out(client)
        assert refused.value.code is RefusalCode.STOPPING
        await client.close()


async def _hear_out(client: SignalingClient) -> None:
    while isinstance(await client.receive(), PeerLeft):
        pass


async def test_stop_is_not_held_up_by_a_peer_that_does_not_read() -> None:
    async with running_server(grace_s=0.5) as url:
        socket = await connect(f"{url}/rooms/r", proxy=None)
        await seated(socket)
        socket.transport.pause_reading()
        began_s = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began_s < 8
    socket.transport.abort()


async def test_tls_by_certificate_files(certificate: tuple[Path, Path]) -> None:
    files = {"tls_certificate_file": certificate[0], "tls_key_file": certificate[1]}
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    async with guarded_server(**files) as server:
        assert server.url.startswith("wss://127.0.0.1:")
        async with httpx.AsyncClient(trust_env=False, verify=trust) as http:
            made = await http.post(server.http + "/rooms", headers={"Authorization": f"Bearer {API_KEY}"})
        link = made.json()["seats"][0]["link"]
        assert re.match(r"wss://127\.0\.0\.1:\d+/rooms/", link)
        address, token = link.split("#")
        async with connect(address, proxy=None, ssl=trust) as socket:
            await seated(socket, token)


def test_tls_files_that_do_not_hold_are_one_line(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    pair, key = certificate
    nothing = tmp_path / "none.pem"
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    check_tls(SignalSettings(tls_certificate_file=pair, tls_key_file=key))
    for one, other in ((nothing, key), (pair, empty), (key, pair)):
        with pytest.raises(SettingError, match="expected a PEM certificate in .* and its key, without a password"):
            check_tls(SignalSettings(tls_certificate_file=one, tls_key_file=other))
