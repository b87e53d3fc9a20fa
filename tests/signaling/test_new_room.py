"""`facewire room`: an operator's two links from a real server."""

import asyncio
import secrets
from pathlib import Path

import pytest
from typer.testing import CliRunner

import facewire
from call.room_link import RoomLink
from signaling.errors import RoomNotMade, SettingError
from signaling.new_room import ask_for_room, own_server, read_key
from tests.signaling.running import running_server

KEY, TOKEN_SECRET = secrets.token_hex(32), secrets.token_hex(32)
GUARDED = {"api_key": KEY, "token_secret": TOKEN_SECRET}

pytestmark = pytest.mark.network


async def test_two_links_of_one_room() -> None:
    async with running_server(**GUARDED, public_url="wss://calls.test") as url:
        links = await asyncio.to_thread(ask_for_room, url, KEY, 60)
    first, second = links
    assert first.startswith("wss://calls.test/rooms/")
    assert first != second
    assert first.split("#")[0] == second.split("#")[0]
    assert RoomLink.parse(first).server == "wss://calls.test"


async def test_says_what_the_server_says() -> None:
    async with running_server(**GUARDED) as url:
        with pytest.raises(RoomNotMade, match=r"says no \(401\): expected the API key of an operator"):
            await asyncio.to_thread(ask_for_room, url, "another")
    async with running_server() as url:
        with pytest.raises(RoomNotMade, match=r"says no \(40[45]\)"):
            await asyncio.to_thread(ask_for_room, url, KEY)


async def test_nobody_there() -> None:
    async with running_server() as url:
        pass
    with pytest.raises(RoomNotMade, match="got no answer that says one"):
        await asyncio.to_thread(ask_for_room, url, KEY)


async def test_command_leaves_links_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEWIRE_API_KEY_FILE", str(tmp_path / "key"))
    (tmp_path / "key").write_text(f"{KEY}\n")
    async with running_server(**GUARDED) as url:
        app = facewire.build_app("room")
        asked = ["room", "--server", url, "--links", str(tmp_path)]
        result = await asyncio.to_thread(CliRunner().invoke, app, asked)
        shown = await asyncio.to_thread(CliRunner().invoke, app, ["room", "--server", url])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "send").read_text() != (tmp_path / "receive").read_text()
    assert KEY not in result.output + shown.output
    assert len([line for line in shown.output.splitlines() if "/rooms/" in line and "#" in line]) == 2


@pytest.mark.parametrize("server", ["calls.test", "http://calls.test", "ws://"])
def test_address_that_is_none(server: str) -> None:
    with pytest.raises(SettingError, match="expected a server like"):
        ask_for_room(server, KEY)


def test_key_from_file_or_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FACEWIRE_API_KEY_FILE", raising=False)
    monkeypatch.setenv("FACEWIRE_API_KEY", "one, two")
    assert read_key(None) == "one"
    (tmp_path / "key").write_text("three\n")
    assert read_key(tmp_path / "key") == "three"
    (tmp_path / "key").write_text("\n")
    with pytest.raises(SettingError, match="expected an operator's key"):
        read_key(tmp_path / "key")
    with pytest.raises(SettingError, match="No such file"):
        read_key(tmp_path / "none")


def test_own_server_follows_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FACEWIRE_TLS_CERTIFICATE_FILE", raising=False)
    monkeypatch.setenv("FACEWIRE_PORT", "9000")
    assert own_server() == "ws://127.0.0.1:9000"
    monkeypatch.setenv("FACEWIRE_TLS_CERTIFICATE_FILE", "/cert")
    assert own_server() == "wss://127.0.0.1:9000"
