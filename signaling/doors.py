"""The doors over HTTP: rooms for operators, ICE servers for seats, health and figures for machines."""

import secrets
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from starlette.exceptions import HTTPException as StarletteHTTPException

from signaling.errors import Refusal, RefusalCode
from signaling.gate import Gate
from signaling.limits import within
from signaling.metrics import CONTENT_TYPE, Metrics
from signaling.room_store import RoomStore
from signaling.settings import SignalSettings
from signaling.tokens import SEATS, Signer
from signaling.turn import IceServers, ice_servers_for

RETRY_AFTER_S: Final = 10
operator = HTTPBearer(auto_error=False, scheme_name="operator", description="The API key of an operator.")
seat = HTTPBearer(auto_error=False, scheme_name="seat", description="The token of a seat.")
Key = Annotated[HTTPAuthorizationCredentials | None, Depends(operator)]
Token = Annotated[HTTPAuthorizationCredentials | None, Depends(seat)]


def _whole(value: object) -> object:
    """Read 60.0 as 60: in JSON they are the same number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Problem(BaseModel):
    """No, and why."""

    code: str
    """For programs: a code as in `refused` over the WebSocket, or one of HTTP alone."""
    reason: str


class RoomWish(BaseModel):
    """What an operator asks for."""

    model_config = ConfigDict(extra="forbid")

    lifetime_s: Annotated[int, Field(strict=True, ge=60, le=2_592_000), BeforeValidator(_whole)] | None = None
    """Seconds that the tokens are to be good for; no longer than the server's own limit, which is the default."""


class SeatLink(BaseModel):
    """One of a room's two seats."""

    seat: str
    token: str
    link: str
    """To give to one person. The token is behind the #, which is not sent when a server is asked for an address."""


class Room(BaseModel):
    """A new room."""

    room: str
    lifetime_s: int
    seats: list[SeatLink]


class Health(BaseModel):
    """Answer of /healthz: the process runs."""

    status: str
    rooms: int
    peers: int


class Readiness(BaseModel):
    """Answer of /readyz: whether a peer can join through this server now, and why not."""

    ready: bool
    trouble: str | None = None


def _problems(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    every = (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, *statuses)
    return {int(status): {"model": Problem, "description": status.phrase} for status in every}


@dataclass
class Doors:
    """The functions behind the routes."""

    settings: SignalSettings
    store: RoomStore
    gate: Gate
    metrics: Metrics

    def add_to(self, app: FastAPI) -> None:
        """Give an application its routes. An open server makes no rooms: any name is one."""
        busy = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
        refused = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
        router = APIRouter()
        add = router.add_api_route
        add("/healthz", self.healthz, responses=_problems())
        add("/readyz", self.readyz, responses={503: {"model": Readiness}, **_problems()})
        page: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
        add("/metrics", self.figures, response_class=Response, responses=page | _problems(HTTPStatus.FORBIDDEN))
        if self.gate.signer is not None:
            wrong = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
            add(
                "/rooms",
                self.make_room,
                methods=["POST"],
                status_code=201,
                responses=_problems(*refused, *wrong, *busy),
            )
            add("/ice-servers", self.ice_servers, responses=_problems(*refused, *busy))
        app.include_router(router)
        app.add_exception_handler(StarletteHTTPException, _answer_http)
        app.add_exception_handler(RequestValidationError, _answer_invalid)
        app.add_exception_handler(Refusal, self._answer_refusal)

    async def healthz(self) -> Health:
        """Say that the process runs."""
        return Health(status="ok", rooms=self.store.rooms_open, peers=self.store.seats_taken)

    async def readyz(self, response: Response) -> Readiness:
        """Say whether a peer can join here now."""
        trouble = "this server is about to stop: try again later" if self.gate.stopping else self.store.trouble
        response.status_code = 200 if trouble is None else 503
        return Readiness(ready=trouble is None, trouble=trouble)

    async def figures(self, request: Request) -> Response:
        """Give Prometheus its page."""
        if not within(_address(request), self.settings.metrics_from):
            raise HTTPException(403, "expected an address that FACEWIRE_METRICS_FROM names")
        return Response(self.metrics.page(), media_type=CONTENT_TYPE)

    async def make_room(self, request: Request, key: Key, wish: RoomWish | None = None) -> Room:
        """Make a room and the tokens of its two seats. Nothing is kept of it: it opens with the first join."""
        self._let_ask(request)
        self._check_key(key)
        self._check_ready()
        asked_s = wish.lifetime_s if wish is not None else None
        lifetime_s = min(asked_s or self.settings.token_lifetime_s, self.settings.token_lifetime_s)
        name = secrets.token_urlsafe(12)
        tokens = [(number, self._signer.sign(name, number, lifetime_s)) for number in SEATS]
        place = f"{self._base(request)}/rooms/{name}"
        self.metrics.rooms_made.inc()
        return Room(
            room=name,
            lifetime_s=lifetime_s,
            seats=[SeatLink(seat=number, token=token, link=f"{place}#{token}") for number, token in tokens],
        )

    async def ice_servers(self, request: Request, token: Token) -> IceServers:
        """Give the peer of a seat the servers through which it may find its way."""
        self._let_ask(request)
        seat_token = self._signer.read(token.credentials if token is not None else None)
        self.metrics.ice_lists.inc()
        return ice_servers_for(seat_token, self.settings)

    @property
    def _signer(self) -> Signer:
        assert self.gate.signer is not None, "the routes that need one are added with it"
        return self.gate.signer

    def _base(self, request: Request) -> str:
        own = f"{'wss' if request.url.scheme == 'https' else 'ws'}://{request.url.netloc}"
        return (self.settings.public_url or own).rstrip("/")

    def _let_ask(self, request: Request) -> None:
        if not self.gate.may_ask(_address(request)):
            words = f"expected at most {self.settings.requests_per_min:g} requests a minute from one address"
            raise HTTPException(429, words, headers={"Retry-After": str(RETRY_AFTER_S)})

    def _check_key(self, key: HTTPAuthorizationCredentials | None) -> None:
        if key is None:
            raise _unauthorised("expected `Authorization: Bearer KEY` with the API key of an operator, got none")
        given = key.credentials.encode()
        if not any(secrets.compare_digest(given, known.encode()) for known in self.settings.api_keys):
            raise _unauthorised("expected the API key of an operator, got another")

    def _check_ready(self) -> None:
        trouble = "this server is about to stop: try again later" if self.gate.stopping else self.store.trouble
        if trouble is not None:
            raise HTTPException(503, trouble, headers={"Retry-After": str(RETRY_AFTER_S)})

    async def _answer_refusal(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        self.metrics.refusals.labels(error.code).inc()
        status = 403 if error.code is RefusalCode.WRONG_ROOM else 401
        return _problem(status, error.code, str(error), {"WWW-Authenticate": "Bearer"} if status == 401 else None)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _unauthorised(words: str) -> HTTPException:
    return HTTPException(401, words, headers={"WWW-Authenticate": "Bearer"})


def _problem(status: int, code: str, reason: str, headers: Any = None) -> JSONResponse:
    return JSONResponse(Problem(code=code, reason=reason).model_dump(), status, headers)


async def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    return _problem(error.status_code, code, str(error.detail), error.headers)


async def _answer_invalid(request: Request, error: Exception) -> Response:
    """Say what is wrong in a request without repeating any of it."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return _problem(
        422, "unprocessable", f"expected a body as /openapi.json describes it, {place}: {first['msg']}"[:300]
    )
