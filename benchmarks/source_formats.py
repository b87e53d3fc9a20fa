"""Bytes of a source picture in each format at equal SSIM of brightness: `python -m benchmarks.source_formats CLIPS...`.

The first frame of each clip, square as it is stored, at its own size.
"""

from collections import defaultdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from call.settings import CallSettings
from sender.camera import Clip
from sender.picture_format import encode_best, writable
from signaling.control_messages import Mime

QUALITY = int(CallSettings.model_fields["source_quality"].default)


def main(clips: Annotated[list[Path], typer.Argument(help="Square clips, or folders of them.")]) -> None:
    """Print the mean bytes of each format for each size, and how many pictures each is the smallest of."""
    paths = [path for given in clips for path in (sorted(given.glob("*.mp4")) if given.is_dir() else [given])]
    sizes: dict[int, list[dict[Mime, int]]] = defaultdict(list)
    for path in paths:
        frame = Clip(path).read()
        if frame is None:
            raise typer.BadParameter(f"{path}: expected a clip with a frame")
        found = {mime: len(encode_best(frame.image, [mime], QUALITY).picture) for mime in writable()}
        sizes[frame.image.shape[0]].append(found)
    table = Table("side, px", "pictures", *(f"{mime}: bytes (smallest)" for mime in writable()))
    for side, rows in sorted(sizes.items()):
        wins = [min(row, key=row.__getitem__) for row in rows]
        cells = [f"{np.mean([row[mime] for row in rows]):.0f} ({wins.count(mime)})" for mime in writable()]
        table.add_row(str(side), str(len(rows)), *cells)
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
