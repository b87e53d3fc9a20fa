"""docker/setup.sh makes what is missing, and nothing else."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from docker.env_example import ROOT
from signaling.settings import SignalSettings

SECRETS = {"api_key", "token_secret", "turn_secret", "redis_password", "redis_url", "tls_cert", "tls_key"}

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the command openssl")


def set_up(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    shutil.copy(ROOT / ".env.example", folder)
    command = [str(ROOT / "docker" / "setup.sh"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    done = set_up(tmp_path, "calls.test")
    assert done.returncode == 0, done.stderr
    return tmp_path


def test_makes_settings_and_secrets(made: Path) -> None:
    assert "PUBLIC_NAME=calls.test\n" in (made / ".env").read_text()
    assert {path.name for path in (made / "secrets").iterdir()} == SECRETS
    assert (made / "secrets").stat().st_mode & 0o077 == 0
    texts = [(made / "secrets" / name).read_text() for name in ("api_key", "token_secret", "turn_secret")]
    assert len(set(texts)) == 3


def test_server_takes_what_was_made(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("api_key", "token_secret", "turn_secret", "redis_url"):
        monkeypatch.setenv(f"FACEWIRE_{name.upper()}_FILE", str(made / "secrets" / name))
    settings = SignalSettings(turn_urls="turn:calls.test:3478")  # type: ignore[arg-type]
    assert settings.guarded
    assert settings.redis_url is not None
    assert settings.redis_url.get_secret_value().endswith("@redis:6379/0")


def test_certificate_has_the_name(made: Path) -> None:
    context = ssl.create_default_context(cafile=made / "secrets" / "tls_cert")
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(made / "secrets" / "tls_cert", made / "secrets" / "tls_key")
    said = [name for certificate in context.get_ca_certs() for name in certificate["subjectAltName"]]
    assert ("DNS", "calls.test") in said


def test_leaves_what_is_there(made: Path) -> None:
    (made / "secrets" / "api_key").write_text("my own")
    (made / ".env").write_text("PUBLIC_NAME=mine\n")
    before = {path.name: path.read_text() for path in (made / "secrets").iterdir()}
    assert set_up(made, "other.test").stdout == ""
    assert {path.name: path.read_text() for path in (made / "secrets").iterdir()} == before
    assert (made / ".env").read_text() == "PUBLIC_NAME=mine\n"


@pytest.mark.parametrize("name", ["", "a b", "https://calls.test", "x;y"])
def test_refuses_what_is_no_name(tmp_path: Path, name: str) -> None:
    done = set_up(tmp_path, *([name] if name else []))
    assert done.returncode == 2
    assert "expected the name by which people reach this machine" in done.stderr
    assert not (tmp_path / "secrets").exists()
