"""settings.py and secret_files.py: what a server refuses to start with, in words that repeat no secret."""

import secrets
from pathlib import Path

import pytest

from signaling.errors import SettingError
from signaling.settings import SignalSettings, read_settings

KEY, OTHER = secrets.token_hex(32), secrets.token_hex(32)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"token_secret": "aB3" * 5, "api_key": KEY},
            "token_secret: .*at least 32 characters drawn by chance, it has 15",
        ),
        ({"token_secret": "change-me-" * 5, "api_key": KEY}, "token_secret: .*placeholder from an example"),
        ({"token_secret": "abc" * 20, "api_key": KEY}, "token_secret: .*uses 3 different ones"),
        ({"token_secret": KEY, "api_key": f"{OTHER},short"}, "api_key: .*it has 5"),
        ({"token_secret": KEY}, "expected a token secret and an API key, or neither"),
        ({"token_secret": KEY, "api_key": KEY}, "one is given twice"),
        ({"turn_secret": KEY, "turn_urls": "turn:a:1"}, "expected a token secret and TURN URLs beside a TURN secret"),
        ({"tls_certificate_file": "a.pem"}, "expected a TLS certificate file and a TLS key file"),
        ({"trusted_proxies": "*"}, r"trusted_proxies: .*networks like 10\.0\.0\.0/8, got '\*'"),
        ({"public_url": "https://a"}, "public_url: .*wss://host"),
    ],
)
def test_settings_that_do_not_hold_are_refused_in_words(given: dict[str, str], words: str) -> None:
    with pytest.raises(SettingError, match=words) as refused:
        read_settings(SignalSettings, **given)
    assert not any(
        value in str(refused.value) for name, value in given.items() if len(value) > 8 and "turn:" not in value
    )


def test_secret_comes_from_its_file_and_stays_out_of_the_repr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, secret in (("TOKEN_SECRET", KEY), ("API_KEY", OTHER)):
        (tmp_path / name).write_text(f"{secret}\n")
        monkeypatch.setenv(f"FACEWIRE_{name}_FILE", str(tmp_path / name))
    settings = read_settings(SignalSettings)
    assert settings.token_secret is not None
    assert settings.token_secret.get_secret_value() == KEY
    assert settings.api_keys == (OTHER,)
    assert settings.guarded
    assert KEY not in repr(settings)
    assert OTHER not in repr(settings)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file"),
        (b"", "it is empty"),
        (b"\xff\xfe", "expected .* a text file"),
        (b"a" * 70_000, "more than 65536"),
    ],
)
def test_secret_file_that_holds_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, words: str
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("FACEWIRE_TOKEN_SECRET_FILE", str(path))
    with pytest.raises(SettingError, match=words):
        read_settings(SignalSettings)


def test_secret_given_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEWIRE_API_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("FACEWIRE_API_KEY", KEY)
    with pytest.raises(SettingError, match="expected FACEWIRE_API_KEY or FACEWIRE_API_KEY_FILE, got both"):
        read_settings(SignalSettings)


def test_lists_have_commas_and_empty_variables_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEWIRE_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1")
    monkeypatch.setenv("FACEWIRE_TOKEN_SECRET", "")
    settings = read_settings(SignalSettings)
    assert settings.trusted_proxies == ("10.0.0.0/8", "192.0.2.1")
    assert not settings.guarded
