"""The page of `facewire replay`: pictures are rendered as the page asks for them, and nothing waits for the rest."""

import asyncio
import wave
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final

import cv2
import numpy as np
from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import FileResponse, Response

from call.local_page import HEADERS, LocalPage, is_this_machine, serve_page
from codec.sound import SAMPLE_RATE
from receiver.show import Image
from replay.play import Playing
from replay.render import Sound

PAGE_FOLDER: Final = Path(__file__).parent / "page"
CALL_PAGE: Final = Path(__file__).parents[2] / "call" / "page"
SHARED: Final = ("base.css", "turn.js", "dom.js")
"""Files of the call's page that this one has as well."""
JPEG_QUALITY: Final = 92
MOST_SOUND_S: Final = 7200.0
"""Of sound that is kept for the page, 5.8 MB a minute."""


class Player:
    """One recording before one viewer. Pictures are made in one thread, in the order in which they are asked for."""

    def __init__(self, playing: Playing, name: str, speed: float) -> None:
        """Work out what is shown when. Raises ViewError."""
        self.name = name
        self.speed = speed
        self._playing = playing
        self._shown = list(playing.driven(playing.shown()))
        self._painter = playing.painter()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="render")
        self._folder = TemporaryDirectory(prefix="facewire-replay-")
        self.sound: Path | None = self._write_sound()

    def about(self) -> dict[str, Any]:
        """What the page must know: the times of all pictures, and what this recording is."""
        played = self._playing.played
        return {
            "name": self.name,
            "times_s": [round(time_s, 4) for _, time_s in self._shown],
            "speed": self.speed,
            "sound": self.sound is not None,
            "damage": played.damage,
            "unreadable": played.unreadable,
            "frames_lost": played.frames_lost,
            "live": self._playing.live,
        }

    async def picture(self, index: int, yaw_deg: float, pitch_deg: float) -> bytes:
        """The JPEG of one picture, turned by so much more than was wished. Raises IndexError."""
        motion = self._shown[index].motion
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._thread, lambda: to_jpeg(self._painter.paint(motion, yaw_deg, pitch_deg))
        )

    def _write_sound(self) -> Path | None:
        sounds = self._playing.sounds()
        if sounds is None:
            return None
        path = Path(self._folder.name) / "sound.wav"
        write_wav(path, list(sounds))
        return path

    def close(self) -> None:
        """End the thread and forget the sound."""
        self._thread.shutdown()
        self._painter.close()
        self._folder.cleanup()


def to_jpeg(image: Image) -> bytes:
    """Encode uint8 RGB [S,S,3]."""
    good, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    assert good, "a picture of these types can always be encoded"
    return bytes(data)


def write_wav(path: Path, sounds: list[Sound]) -> None:
    """Write pieces of sound at their times, silence between them; what is before 0 s or after two hours is left out."""
    end_s = min(max((at_s + len(samples) / SAMPLE_RATE for at_s, samples in sounds), default=0.0), MOST_SOUND_S)
    track = np.zeros(max(1, round(end_s * SAMPLE_RATE)), "<i2")
    for at_s, samples in sounds:
        place = round(at_s * SAMPLE_RATE)
        piece = samples[max(0, -place) : max(0, len(track) - place)]
        track[max(0, place) : max(0, place) + len(piece)] = piece
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(track.tobytes())


def create_app(player: Player, page: LocalPage) -> FastAPI:
    """Build the server of one recording."""
    app = FastAPI(title="facewire replay", docs_url=None, redoc_url=None, openapi_url=None)
    shared = LocalPage(CALL_PAGE, page.command)

    def admit(request: Request, token: str) -> None:
        if not is_this_machine(request.headers.get("host", "")) or not page.knows(token):
            raise HTTPException(403, f"expected the page that `{page.command}` printed")

    @app.get("/about.json")
    async def about(request: Request, token: Annotated[str, Query()] = "") -> dict[str, Any]:
        admit(request, token)
        return player.about()

    @app.get("/picture/{index}.jpg")
    async def picture(
        request: Request,
        index: int,
        token: Annotated[str, Query()] = "",
        yaw: Annotated[float, Query(ge=-90, le=90)] = 0.0,
        pitch: Annotated[float, Query(ge=-90, le=90)] = 0.0,
    ) -> Response:
        admit(request, token)
        try:
            if index < 0:
                raise IndexError
            content = await player.picture(index, yaw, pitch)
        except IndexError:
            raise HTTPException(404, f"expected a picture of this recording, got number {index}") from None
        return Response(content, media_type="image/jpeg", headers=HEADERS)

    @app.get("/sound.wav")
    async def sound(request: Request, token: Annotated[str, Query()] = "") -> Response:
        admit(request, token)
        if player.sound is None:
            raise HTTPException(404, "this recording has no sound")
        return FileResponse(player.sound, media_type="audio/wav", headers=HEADERS)

    @app.get("/{path:path}")
    async def file(request: Request, path: str) -> Response:
        return (shared if path in SHARED else page).file(request, path)

    return app


async def serve_player(player: Player, port: int, ready: Callable[[str], None]) -> None:
    """Serve until cancelled; `ready` gets the page's address with its token. Raises PortTaken."""
    page = LocalPage(PAGE_FOLDER, "facewire replay")
    await serve_page(create_app(player, page), page, port, ready)
