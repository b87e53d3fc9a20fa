"""The doors of a guarded server over HTTP: rooms, ICE servers, health, figures, and what the log says of them."""

import json
import logging
import re
from contextlib import suppress
from typing import Any

import httpx
import pytest

from signaling.messages import Join, Joined
from tests.signaling.guarded import API_KEY, TURN, TURN_SECRET, guarded_server
from tests.signaling.running import running_server

pytestmark = pytest.mark.network


async def test_room_has_two_links_and_each_token_opens_one_seat() -> None:
    async with guarded_server(public_url="wss://calls.example/") as server:
        answer = await server.make_room(lifetime_s=120)
        assert answer.status_code == 201
        made = answer.json()
        assert re.fullmatch(r"[A-Za-z0-9_-]{16}", made["room"])
        assert made["lifetime_s"] == 120
        for number, seat in zip("12", made["seats"], strict=True):
            assert seat["link"] == f"wss://calls.example/rooms/{made['room']}#{seat['token']}"
            read = server.signer.read(seat["token"], made["room"])
            assert read.seat == number
            joined, _ = await server.knock(Join(role="call", token=seat["token"]), made["room"])
            assert isinstance(joined, Joined)


async def test_lifetime_may_be_written_as_json_likes() -> None:
    async with guarded_server() as server:
        assert (await server.make_room(lifetime_s=120.0)).json()["lifetime_s"] == 120


async def test_room_links_name_the_address_that_was_asked_and_never_outlive_the_limit() -> None:
    async with guarded_server(token_lifetime_s=100) as server:
        made = (await server.make_room(lifetime_s=100_000)).json()
        assert made["lifetime_s"] == 100
        assert made["seats"][0]["link"].startswith(f"{server.url}/rooms/")
        assert server.signer.read(made["seats"][0]["token"]).good_for_s <= 106


@pytest.mark.parametrize(
    ("method", "path", "key", "status", "code"),
    [
        ("POST", "/rooms", None, 401, "unauthorized"),
        ("POST", "/rooms", "wrong", 401, "unauthorized"),
        ("POST", "/rooms", API_KEY[:-1], 401, "unauthorized"),
        ("POST", "/rooms", "\u00e4", 401, "unauthorized"),
        ("GET", "/rooms", API_KEY, 405, "method_not_allowed"),
        ("GET", "/ice-servers", None, 401, "no_token"),
        ("GET", "/ice-servers", API_KEY, 401, "bad_token"),
        ("GET", "/docs", None, 404, "not_found"),
        ("GET", "/rooms/r", None, 404, "not_found"),
    ],
)
async def test_doors_stay_shut_with_a_code_and_words(
    method: str, path: str, key: str | None, status: int, code: str
) -> None:
    async with guarded_server(**TURN) as server:
        answer = await server.ask(method, path, key)
        assert answer.status_code == status
        assert answer.json()["code"] == code
        assert answer.json()["reason"]
        assert ("www-authenticate" in answer.headers) == (status == 401)
        assert TURN_SECRET not in answer.text


async def test_seat_token_is_no_api_key_and_an_expired_one_gets_no_servers() -> None:
    async with guarded_server(**TURN) as server:
        assert (await server.ask("POST", "/rooms", server.token())).status_code == 401
        answer = await server.ask("GET", "/ice-servers", server.token(lifetime_s=-60))
        assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")


async def test_ice_servers_of_a_seat() -> None:
    async with guarded_server(**TURN, stun_urls="stun:192.0.2.9:3478") as server:
        answer = await server.ask("GET", "/ice-servers", server.token("2", "kitchen"))
        assert answer.headers["cache-control"] == "no-store"
        stun, turn = answer.json()["ice_servers"]
        assert stun["urls"] == ["stun:192.0.2.9:3478"]
        assert turn["urls"] == ["turn:192.0.2.9:3478?transport=udp", "turns:192.0.2.9:5349?transport=tcp"]
        assert re.fullmatch(r"\d{10}:kitchen\.2", turn["username"])


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ('{"lifetime_s": 59}', 422, "body.lifetime_s"),
        ('{"lifetime_s": "60"}', 422, "body.lifetime_s"),
        ('{"lifetimes": 60}', 422, "body.lifetimes"),
        ("{", 422, "JSON"),
        ('{"a": "' + "x" * 5000 + '"}', 413, "at most 4096 bytes"),
    ],
)
async def test_body_that_is_none_is_refused_and_not_repeated(body: str, status: int, words: str) -> None:
    async with guarded_server(max_message_bytes=4096) as server:
        headers = {"content-type": "application/json"}
        answer = await server.ask("POST", "/rooms", API_KEY, content=body, headers=headers)
        assert answer.status_code == status
        assert words in answer.json()["reason"]
        assert '"input"' not in answer.text


async def test_body_without_a_length_is_limited_too() -> None:
    async def endless() -> Any:
        for _ in range(10_000):
            yield b" " * 1000

    async with guarded_server(max_message_bytes=4096) as server:
        headers = {"content-type": "application/json"}
        with suppress(httpx.TransportError):  # where the server has closed before all of it was sent
            await server.ask("POST", "/rooms", API_KEY, content=endless(), headers=headers)
        page = (await server.ask("GET", "/metrics")).text
        assert 'facewire_http_requests_total{route="/rooms",status="413"} 1.0' in page


async def test_requests_of_one_address_are_limited_and_health_is_not() -> None:
    async with guarded_server(requests_per_min=2) as server:
        statuses = [(await server.make_room()).status_code for _ in range(3)]
        assert statuses == [201, 201, 429]
        assert (await server.ask("GET", "/healthz")).status_code == 200


async def test_forwarded_addresses_count_from_named_proxies_alone() -> None:
    async def ask(address: str, **settings: Any) -> list[int]:
        async with guarded_server(requests_per_min=1, **settings) as server:
            headers = [{"X-Forwarded-For": f"{address}{index}", "X-Forwarded-Proto": "https"} for index in (1, 2)]
            answers = [await server.ask("POST", "/rooms", API_KEY, headers=each) for each in headers]
            links = [answer.json()["seats"][0]["link"] for answer in answers if answer.status_code == 201]
            assert all(link.startswith("wss://" if settings else "ws://") for link in links)
            return [answer.status_code for answer in answers]

    assert await ask("192.0.2.") == [201, 429]
    assert await ask("192.0.2.", trusted_proxies="127.0.0.0/8") == [201, 201]
    # what a client wrote itself, before the proxy added where it came from, counts for nothing
    assert await ask("203.0.113.9, 192.0.2.7, 127.0.0.", trusted_proxies="127.0.0.0/8") == [201, 429]


async def test_metrics_are_for_those_who_may_read_them() -> None:
    async with guarded_server() as server:
        await server.knock(Join(role="call"))
        await server.make_room()
        page = await server.ask("GET", "/metrics")
        assert page.headers["content-type"].startswith("text/plain; version=")
        assert 'facewire_refusals_total{code="no_token"} 1.0' in page.text
        assert "facewire_rooms_made_total 1.0" in page.text
        assert 'facewire_http_requests_total{route="/rooms",status="201"} 1.0' in page.text
        assert 'facewire_refusals_total{code="token_expired"} 0.0' in page.text
    async with guarded_server(metrics_from="192.0.2.0/24") as server:
        assert (await server.ask("GET", "/metrics")).status_code == 403


async def test_metrics_hold_no_line_for_each_address_that_is_asked_for() -> None:
    async with guarded_server() as server:
        for index in range(5):
            await server.ask("GET", f"/nothing/{index}")
        page = (await server.ask("GET", "/metrics")).text
        assert 'facewire_http_requests_total{route="other",status="404"} 5.0' in page
        assert "nothing" not in page


async def test_open_server_makes_no_rooms_and_any_name_is_one() -> None:
    async with running_server() as url, httpx.AsyncClient(trust_env=False) as http:
        assert (await http.post(url.replace("ws", "http", 1) + "/rooms")).status_code == 404
        assert (await http.get(url.replace("ws", "http", 1) + "/readyz")).json() == {"ready": True, "trouble": None}


async def test_log_lines_are_json_with_a_request_id_and_without_secrets(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    from signaling.logs import set_up

    before = logging.getLogger().handlers[:], logging.getLogger().level
    set_up("json", "debug")
    try:
        async with guarded_server(**TURN) as server:
            made = await server.make_room()
            seats = made.json()["seats"]
            await server.ask("GET", "/ice-servers", seats[0]["token"])
            await server.ask("GET", f"/ice-servers?token={seats[0]['token']}")
            await server.knock(Join(role="call", token=seats[1]["token"]), made.json()["room"])
            await server.knock(Join(role="call", token=seats[1]["token"][:-3]), made.json()["room"])
            logging.getLogger("another").warning("a library repeats %s", seats[0]["token"])
    finally:
        logging.getLogger().handlers[:], level = before
        logging.getLogger().setLevel(level)
    text = capsys.readouterr().err
    lines = [json.loads(line) for line in text.splitlines()]
    own = [line for line in lines if line["logger"].startswith("facewire.")]
    assert {line["message"] for line in own} >= {"POST /rooms: 201", "GET /ice-servers: 200", "refused: bad_token"}
    assert all(re.fullmatch(r"[0-9a-f]{16}", line["request_id"]) for line in own if "stopping" not in line["message"])
    assert made.headers["x-request-id"] in {line["request_id"] for line in own}
    assert "a library repeats [token]" in text
    assert API_KEY not in text
    assert not any(seat["token"] in text or seat["token"].split(".")[2] in text for seat in seats)
