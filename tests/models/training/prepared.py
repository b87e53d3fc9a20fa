"""A small prepared folder, written the way `facewire prepare` writes one: moving dots for faces, known poses."""

import json
from pathlib import Path

import cv2
import numpy as np
import torch

from models.geometry import rotation_matrix
from models.training.mean_face import mean_face

SIZE = 256


def write_prepared(folder: Path, clips: int = 3, frames: int = 6, stills: int = 2) -> Path:
    """Clips of a mean face under random poses, its landmarks drawn as dots; returns the folder."""
    rng = np.random.default_rng(0)
    entries = []
    for number in range(clips + stills):
        still = number >= clips
        name, split = f"id{number:03d}_0", "stills" if still else "train"
        (folder / split).mkdir(parents=True, exist_ok=True)
        count = 1 if still else frames
        yaw, pitch, roll = rng.uniform(-25.0, 25.0, (3, count)).astype(np.float32)
        log_scale = rng.uniform(-0.6, -0.4, count).astype(np.float32)
        t = rng.uniform(-0.1, 0.1, (count, 2)).astype(np.float32)
        R = rotation_matrix(*(torch.from_numpy(angle) for angle in (yaw, pitch, roll))).numpy()
        neutral = (mean_face() * rng.uniform(0.9, 1.1, (1, 3))).astype(np.float32)
        shift = np.concatenate([t, np.zeros((count, 1), np.float32)], 1)
        landmarks = np.exp(log_scale)[:, None, None] * (neutral @ R.transpose(0, 2, 1)) + shift[:, None]
        path = folder / split / f"{name}{'.png' if still else '.mp4'}"
        _draw(path, landmarks, rng)
        np.savez(
            path.with_suffix(".npz"),
            landmarks=landmarks.astype(np.float32),
            detected=np.ones(count, bool),
            yaw_deg=yaw,
            pitch_deg=pitch,
            roll_deg=roll,
            log_scale=log_scale,
            t=t,
            neutral=neutral,
        )
        entries.append(
            {
                "name": name,
                "split": split,
                "identity": name.split("_")[0],
                "kind": "still" if still else "video",
                "frames": count,
                "fps": 15.0,
                "video": f"{split}/{path.name}",
                "landmarks": f"{split}/{name}.npz",
                "static_camera": True,
                "camera_px": 0.0,
                "border_levels": 0.0,
                "crop": [0, 0, SIZE],
                "sha256": "",
                "source_sha256": "",
            }
        )
    (folder / "index.json").write_text(json.dumps({"version": 1, "clips": entries, "rejected": []}))
    return folder


def _draw(path: Path, landmarks: np.ndarray, rng: np.random.Generator) -> None:
    colours = rng.integers(60, 255, (478, 3))
    pictures = []
    for points in landmarks:
        picture = np.full((SIZE, SIZE, 3), 40, np.uint8)
        for (x, y), colour in zip((points[:, :2] + 1.0) * SIZE / 2, colours.tolist(), strict=True):
            cv2.circle(picture, (int(x), int(y)), 3, colour, -1)
        pictures.append(picture)
    if path.suffix == ".png":
        cv2.imwrite(str(path), pictures[0])
        return
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 15.0, (SIZE, SIZE))
    for picture in pictures:
        writer.write(picture)
    writer.release()
