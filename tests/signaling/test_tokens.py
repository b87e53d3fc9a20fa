"""tokens.py and turn.py: what is signed is read, and nothing else."""

import base64
import json
import secrets

import jwt
import pytest
from pydantic import SecretStr

from signaling.errors import Refusal, RefusalCode
from signaling.settings import SignalSettings
from signaling.tokens import SeatToken, Signer, make_signer
from signaling.turn import ice_servers_for, turn_credential

SECRET, OTHER = SecretStr(secrets.token_hex(32)), SecretStr(secrets.token_hex(32))
CLAIMS = {"room": "r", "seat": "1", "exp": 1 << 40, "jti": "0" * 16}


def altered(token: str) -> str:
    """The same signature under another seat."""
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["seat"] = "2"
    return f"{head}.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.{signature}"


def signed(claims: dict[str, object], secret: SecretStr = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, secret.get_secret_value(), algorithm)


def code_of(signer: Signer, token: str | None, room: str = "r") -> RefusalCode:
    with pytest.raises(Refusal, match="^expected a") as refused:
        signer.read(token, room)
    assert token is None or len(token) < 4 or token not in str(refused.value)
    return refused.value.code


def test_token_is_read_as_it_was_signed() -> None:
    token = Signer(SECRET).read(Signer(SECRET).sign("kitchen", "2", 60), "kitchen")
    assert (token.room, token.seat) == ("kitchen", "2")
    assert 59 <= token.good_for_s <= 66


def test_token_of_the_secret_before_is_good_and_new_ones_are_not_signed_with_it() -> None:
    both = Signer(SECRET, before=OTHER)
    assert both.read(Signer(OTHER).sign("r", "1", 60)).room == "r"
    assert code_of(Signer(OTHER), both.sign("r", "1", 60)) is RefusalCode.BAD_TOKEN


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (None, RefusalCode.NO_TOKEN),
        ("", RefusalCode.NO_TOKEN),
        ("a.b.c", RefusalCode.BAD_TOKEN),
        ("\ud800", RefusalCode.BAD_TOKEN),
        (altered(signed(CLAIMS)), RefusalCode.BAD_TOKEN),
        (signed(CLAIMS, OTHER), RefusalCode.BAD_TOKEN),
        (signed(CLAIMS, algorithm="HS512"), RefusalCode.BAD_TOKEN),
        (jwt.encode(CLAIMS, "", "none"), RefusalCode.BAD_TOKEN),
        (signed({**CLAIMS, "exp": 1_000_000_000}), RefusalCode.TOKEN_EXPIRED),
        (signed({**CLAIMS, "room": "other"}), RefusalCode.WRONG_ROOM),
        (signed({**CLAIMS, "seat": "3"}), RefusalCode.BAD_TOKEN),
        (signed({**CLAIMS, "admin": True}), RefusalCode.BAD_TOKEN),
        (signed({name: CLAIMS[name] for name in ("room", "seat", "jti")}), RefusalCode.BAD_TOKEN),
        (signed({**CLAIMS, "exp": "never"}), RefusalCode.BAD_TOKEN),
    ],
)
def test_anything_else_is_refused_with_its_code_and_never_repeated(token: str | None, code: RefusalCode) -> None:
    assert code_of(Signer(SECRET), token) is code


def test_open_server_signs_nothing() -> None:
    assert make_signer(SignalSettings()) is None


def test_turn_credential_is_the_one_that_coturn_computes() -> None:
    # printf '1700003600:r.1' | openssl dgst -sha1 -hmac 'north wind' -binary | base64
    assert turn_credential("north wind", "1700003600:r.1") == "CA7Cy8jv49WJopZoWuG/uQ4y9aQ="


def test_ice_servers_for_a_seat() -> None:
    settings = SignalSettings(
        token_secret=SECRET,
        api_key=OTHER,
        turn_secret=SecretStr(secrets.token_hex(32)),
        stun_urls=("stun:s:1",),
        turn_urls=("turn:t:1", "turns:t:2"),
    )
    seat = SeatToken(room="r", seat="2", exp=0, jti="0" * 16)
    servers = ice_servers_for(seat, settings, now=lambda: 1000.0)
    assert [server.urls for server in servers.ice_servers] == [["stun:s:1"], ["turn:t:1", "turns:t:2"]]
    assert servers.ice_servers[1].username == "4600:r.2"
    assert str(servers.ice_servers[1].credential) not in repr(servers)
    assert ice_servers_for(seat, SignalSettings()).ice_servers == []
