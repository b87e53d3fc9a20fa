"""`facewire compare --ab DIR`: the page on which one rater chooses, pair by pair.

The page learns neither which version is which nor the files' names: videos go by keys drawn for this sitting.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

from fastapi import FastAPI, Header, HTTPException, Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, Field

from call.local_page import LocalPage, is_this_machine, serve_page
from replay.errors import RatingError
from replay.rating.choices import Side, append_choice, choose, read_choices
from replay.rating.pairs import Shown, order_for, read_pairs

PAGE_FOLDER: Final = Path(__file__).parent / "page"
CHOICES_FILE: Final = "choices.csv"
MAX_RATER: Final = 60


class Start(BaseModel):
    """The rater gives a name; the same name goes on where it stopped."""

    rater: Annotated[str, Field(min_length=1, max_length=MAX_RATER, pattern=r"^[^\x00-\x1f]+$")]


class Task(BaseModel):
    """What the page shows next; `number` counts from 1, and no `left` means that all are rated."""

    number: int
    total: int
    question: str
    left: str | None = None
    right: str | None = None


class Answer(BaseModel):
    """The choice for task `number`."""

    number: Annotated[int, Field(ge=1)]
    choice: Side


class Sitting:
    """One rater before one folder of pairs. Methods are called by the server's one loop."""

    def __init__(self, folder: Path, choices: Path, now: Callable[[], float] = time.monotonic) -> None:
        """Raises RatingError for a folder without pairs or choices that cannot be read."""
        self.pairs = read_pairs(folder)
        self.choices = choices
        self.rater: str | None = None
        self._folder = folder
        self._now = now
        self._left: list[Shown] = []
        self._videos: dict[str, Path] = {}
        self._keys: tuple[str, str] | None = None
        self._since_s = 0.0
        read_choices(choices)

    def start(self, rater: str) -> Task:
        """Begin, or go on, for this rater."""
        self.rater = rater.strip()
        rated = {choice.pair for choice in read_choices(self.choices) if choice.rater == self.rater}
        self._left = order_for(self.rater, self.pairs, rated)
        return self._next()

    def answer(self, answer: Answer) -> Task:
        """Keep a choice and give the next pair. Raises RatingError for an answer to another task than the present."""
        total = len(self.pairs.pairs)
        number = total - len(self._left) + 1
        if self.rater is None or not self._left or answer.number != number:
            raise RatingError(f"expected an answer to pair {number} of {total}, got one to pair {answer.number}")
        at = datetime.now(UTC).isoformat(timespec="seconds")
        seconds = self._now() - self._since_s
        append_choice(self.choices, choose(self._left[0], answer.choice, self.rater, at, seconds))
        del self._left[0]
        return self._next()

    def video(self, key: str) -> Path | None:
        """The file behind a key of the present pair."""
        return self._videos.get(key)

    def _next(self) -> Task:
        total = len(self.pairs.pairs)
        task = Task(number=total - len(self._left) + 1, total=total, question=self.pairs.question)
        self._videos.clear()
        if self._left:
            shown = self._left[0]
            task.left, task.right = secrets.token_urlsafe(9), secrets.token_urlsafe(9)
            self._videos = {
                task.left: self._folder / shown.left.video,
                task.right: self._folder / shown.right.video,
            }
        self._since_s = self._now()
        return task


def create_app(sitting: Sitting, page: LocalPage, done: Callable[[], None]) -> FastAPI:
    """Build the server of one sitting; `done` is called when the rater ends it."""
    app = FastAPI(title="facewire rating", docs_url=None, redoc_url=None, openapi_url=None)

    def admit(request: Request, token: str) -> None:
        host = request.headers.get("host", "")
        origin = request.headers.get("origin", f"http://{host}")
        if not is_this_machine(host) or origin != f"http://{host}" or not page.knows(token):
            raise HTTPException(403, "expected the page that `facewire compare --ab` printed")

    @app.post("/start")
    async def start(request: Request, body: Start, x_token: Annotated[str, Header()] = "") -> Task:
        admit(request, x_token)
        return sitting.start(body.rater)

    @app.post("/answer")
    async def answer(request: Request, body: Answer, x_token: Annotated[str, Header()] = "") -> Task:
        admit(request, x_token)
        try:
            return sitting.answer(body)
        except RatingError as error:
            raise HTTPException(409, str(error)) from None
        except OSError as error:
            raise HTTPException(507, f"the choice could not be written to {sitting.choices}: {error}") from None

    @app.post("/end", status_code=204)
    async def end(request: Request, x_token: Annotated[str, Header()] = "") -> None:
        admit(request, x_token)
        done()

    @app.get("/video/{key}")
    async def video(request: Request, key: str) -> Response:
        path = sitting.video(key)  # the key is a secret of its own: a video element sends no header
        if path is None or not is_this_machine(request.headers.get("host", "")):
            raise HTTPException(404, "expected a video of the pair that is shown")
        return FileResponse(path, media_type="video/mp4", headers={"Cache-Control": "no-store"})

    @app.get("/{path:path}")
    async def file(request: Request, path: str) -> Response:
        return page.file(request, path)

    return app


async def rate(folder: Path, choices: Path, port: int, ready: Callable[[str], None]) -> None:
    """Serve the page until the rater ends or it is cancelled. Raises RatingError, PortTaken."""
    sitting = Sitting(folder, choices)
    page = LocalPage(PAGE_FOLDER, "facewire compare --ab")
    ended = asyncio.Event()
    app = create_app(sitting, page, ended.set)
    serving = asyncio.create_task(serve_page(app, page, port, ready), name="rating page")
    waiting = asyncio.create_task(ended.wait(), name="rater's end")
    try:
        await asyncio.wait((serving, waiting), return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
    finally:
        for task in (serving, waiting):
            task.cancel()
        await asyncio.gather(serving, waiting, return_exceptions=True)
