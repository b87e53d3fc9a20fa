"""What stands behind and beside faces, with no face in it: parts of pictures, pictures without their face, patterns."""

import cv2
import numpy as np

from models.training.finder_faces import Face, People
from models.training.landmarker import Picture

Random = np.random.Generator


def draw_background(people: People, width: int, height: int, random: Random) -> Picture:
    """Draw a picture uint8 RGB [height,width,3] without a face."""
    kind = random.random()
    if kind < 0.40:
        picture = faceless_part(people.draw(random), width, height, random)
    elif kind < 0.65:
        picture = _fill(headless(people.draw(random), random), width, height, random)
    elif kind < 0.80:
        picture = pattern(width, height, random)
    else:
        one = faceless_part(people.draw(random), width, height, random)
        other = faceless_part(people.draw(random), width, height, random)
        picture = (
            _mix(one, other, random) if random.random() < 0.5 else _mix(one, pattern(width, height, random), random)
        )
    if random.random() < 0.25:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), float(random.uniform(0.5, 4.0))), np.uint8)
    return picture


def faceless_part(face: Face, width: int, height: int, random: Random) -> Picture:
    """Cut a part of a picture that does not touch the face box, any size, and stretch it to width x height."""
    size = face.picture.shape[0]
    left, top, right, bottom = (int(value) for value in np.clip(face.box, 0, size))
    for _ in range(8):
        side = int(random.uniform(0.15, 0.6) * size)
        x, y = (int(value) for value in random.integers(0, size - side, 2))
        if x + side <= left or x >= right or y + side <= top or y >= bottom:
            return _turn(_resize(face.picture[y : y + side, x : x + side], width, height), random)
    return _fill(headless(face, random), width, height, random)


def headless(face: Face, random: Random) -> Picture:
    """Return the picture with its face painted over: by another place of the picture, or by what surrounds the face."""
    picture = face.picture
    size = picture.shape[0]
    left, top, right, bottom = face.box
    middle = (int((left + right) / 2), int((top + bottom) / 2))
    axes = (
        max(2, int((right - left) * random.uniform(0.52, 0.65))),
        max(2, int((bottom - top) * random.uniform(0.55, 0.7))),
    )
    mask = np.zeros((size, size), np.uint8)
    cv2.ellipse(mask, middle, axes, 0, 0, 360, 255, -1)
    if random.random() < 0.5:
        small = cv2.resize(picture, (size // 4, size // 4), interpolation=cv2.INTER_AREA)
        hole = np.asarray(cv2.resize(mask, (size // 4, size // 4), interpolation=cv2.INTER_NEAREST), np.uint8)
        cover = cv2.resize(cv2.inpaint(small, hole, 3, cv2.INPAINT_TELEA), (size, size), interpolation=cv2.INTER_LINEAR)
        cover = _speckle(np.asarray(cover, np.uint8), random)
    else:
        # a piece of the same picture that holds no face: shirt, hair, wall, in the light of this picture
        cover = faceless_patch(face, random)
    soft = cv2.GaussianBlur(mask, (0, 0), float(random.uniform(1.5, 5.0))).astype(np.float32)[..., None] / 255
    return (picture * (1 - soft) + cover * soft).astype(np.uint8)


def faceless_patch(face: Face, random: Random) -> Picture:
    """Return a strip above, beside or below the face stretched to the whole picture."""
    size = face.picture.shape[0]
    left, top, right, bottom = (int(value) for value in np.clip(face.box, 8, size - 8))
    strips = (face.picture[:, :left], face.picture[:, right:], face.picture[:top], face.picture[bottom:])
    return _resize(strips[int(random.integers(4))], size, size)


def pattern(width: int, height: int, random: Random) -> Picture:
    """Draw gradients, noise of several sizes, and a few plain shapes: discs and ovals with spots among them."""
    corners = random.uniform(0, 255, (2, 2, 3)).astype(np.float32)
    picture = np.asarray(cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    for cells in (3, 8, 24, 64):
        if random.random() < 0.5:
            noise = random.normal(0, random.uniform(5, 50), (cells, cells, 3)).astype(np.float32)
            picture += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    drawn = picture.clip(0, 255).astype(np.uint8)
    for _ in range(int(random.integers(0, 7))):
        _shape(drawn, random)
    return drawn


def _shape(picture: Picture, random: Random) -> None:
    height, width = picture.shape[:2]
    at = (int(random.integers(width)), int(random.integers(height)))
    colour = tuple(float(value) for value in random.uniform(0, 255, 3))
    if random.random() < 0.4:  # the colours of skin in all its shades
        light = random.uniform(60, 240)
        colour = (float(light), float(light * random.uniform(0.6, 0.85)), float(light * random.uniform(0.4, 0.75)))
    axes = (int(random.uniform(0.03, 0.3) * width) + 1, int(random.uniform(0.03, 0.4) * height) + 1)
    if random.random() < 0.6:
        cv2.ellipse(picture, at, axes, float(random.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
        for _ in range(int(random.integers(0, 3))):
            spot = (at[0] + int(random.normal(0, axes[0] / 2)), at[1] + int(random.normal(0, axes[1] / 2)))
            dark = float(random.uniform(0, 80))
            cv2.circle(picture, spot, max(1, axes[0] // 6), (dark, dark, dark), -1, cv2.LINE_AA)
    else:
        end = (at[0] + axes[0], at[1] + axes[1])
        cv2.rectangle(picture, at, end, colour, -1 if random.random() < 0.7 else 2)


def _fill(picture: Picture, width: int, height: int, random: Random) -> Picture:
    """Cut a part of the wanted shape out of a square picture, 0.6 to 1 times as large as it can be."""
    size = picture.shape[0]
    share = random.uniform(0.6, 1.0) * size / max(width, height)
    part_w, part_h = max(2, int(width * share)), max(2, int(height * share))
    x, y = int(random.integers(0, size - part_w + 1)), int(random.integers(0, size - part_h + 1))
    return _turn(_resize(picture[y : y + part_h, x : x + part_w], width, height), random, upright=True)


def _mix(one: Picture, other: Picture, random: Random) -> Picture:
    """Put one picture beside or into another, with a border that is hard or soft."""
    height, width = one.shape[:2]
    cells = (random.random((3, 3)) < 0.5).astype(np.float32)
    method = cv2.INTER_NEAREST if random.random() < 0.4 else cv2.INTER_CUBIC
    mask = np.clip(cv2.resize(cells, (width, height), interpolation=method), 0, 1)[..., None]
    return (one * mask + other * (1 - mask)).astype(np.uint8)


def _speckle(picture: Picture, random: Random) -> Picture:
    noise = random.normal(0, random.uniform(0, 10), picture.shape[:2]).astype(np.float32)
    return (picture + noise[..., None]).clip(0, 255).astype(np.uint8)


def _turn(picture: Picture, random: Random, upright: bool = False) -> Picture:
    if random.random() < 0.5:
        picture = picture[:, ::-1]
    if not upright and random.random() < 0.2:
        picture = picture[::-1]
    return np.ascontiguousarray(picture)


def _resize(part: Picture, width: int, height: int) -> Picture:
    method = cv2.INTER_AREA if part.shape[1] > width else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.ascontiguousarray(part), (width, height), interpolation=method), np.uint8)
