"""People made here: where they walk, a video of them as coloured boxes, and a detector that finds such boxes."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from reelproc.detectors.base import Detection, Detector, DetectSpec, DetectWork, class_numbers
from reelproc.detectors.checkpoints import find_checkpoint, is_checkpoint_path
from reelproc.errors import BackendError
from reelproc.results import FrameDetections

GREY = 128


@dataclass(frozen=True)
class Person:
    """Somebody on the move.

    Attributes:
        x, y: the centre at a time in seconds, pixels.
        height: pixels; the width is 0.4 of it.
        colour: ``"#rrggbb"``.
        seen: whether they can be seen at a time.
    """

    x: Callable[[float], float]
    y: Callable[[float], float]
    height: float = 80.0
    colour: str = "#c02020"
    seen: Callable[[float], bool] = lambda _: True

    def at(self, time: float, rng: random.Random | None = None, noise: float = 0.0) -> Detection:
        """Their box, with Gaussian ``noise`` of so many of their heights."""

        def off() -> float:
            return 0.0 if rng is None else rng.gauss(0.0, noise * self.height)

        return Detection(
            x=self.x(time) + off(),
            y=self.y(time) + off(),
            width=0.4 * self.height,
            height=max(2.0, self.height + off()),
            confidence=0.8 if rng is None else rng.uniform(0.4, 0.9),
            colours=(self.colour, self.colour),
        )


def frames_of(
    people: Sequence[Person], times: Sequence[float], *, noise: float = 0.0, missing: float = 0.0, seed: int = 0
) -> list[FrameDetections]:
    """What a detector would say of ``people``: boxes off by ``noise`` heights, a share ``missing`` not found."""
    rng = random.Random(seed)
    frames = []
    for k, time in enumerate(times):
        found = [
            p.at(time, rng, noise) for p in people if p.seen(time) and (not k or not missing or rng.random() >= missing)
        ]
        rng.shuffle(found)
        frames.append(FrameDetections(time=time, pts=round(time * 1000), detections=tuple(found)))
    return frames


def people_video(
    path: Path,
    people: Sequence[Person],
    *,
    seconds: float,
    fps: int = 10,
    width: int = 640,
    height: int = 360,
    sample_aspect_ratio: Fraction = Fraction(1),
) -> Path:
    """Encode ``people`` as boxes in their colours on grey; who comes first in the list stands in front."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "crf": "12"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.sample_aspect_ratio = sample_aspect_ratio
        for k in range(round(seconds * fps)):
            image = np.full((height, width, 3), GREY, np.uint8)
            for person in reversed(people):
                if person.seen(k / fps):
                    left, top, right, bottom = (round(edge) for edge in person.at(k / fps).corners)
                    rgb = tuple(int(person.colour[n : n + 2], 16) for n in (1, 3, 5))
                    cv2.rectangle(image, (left, top), (right - 1, bottom - 1), rgb, -1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode())
    return path


CHECKPOINT = b"what a box is" * 1000
"""What a checkpoint of a :class:`BlobDetector` holds."""


class BlobDetector(Detector):
    """Finds boxes that are not grey. Its model is called anything, or is a file that holds :data:`CHECKPOINT`.

    It knows the classes person and ball.
    """

    name = "blobs"
    description = "coloured boxes on grey"
    licence = "MIT"

    def __init__(self) -> None:
        self.opened = 0
        self.images = 0

    def open(self, spec: DetectSpec) -> DetectWork:
        if is_checkpoint_path(spec.model) and (file := find_checkpoint(spec.model)).read_bytes() != CHECKPOINT:
            raise BackendError(f"{file} is no checkpoint of blobs")
        class_numbers(["person", "ball"], spec.classes, spec.model)
        self.opened += 1
        return _BlobWork(self, spec)


class _BlobWork(DetectWork):
    batch_size = 4

    def __init__(self, detector: BlobDetector, spec: DetectSpec) -> None:
        self._detector, self._spec = detector, spec

    def __call__(self, images: Sequence[NDArray[np.uint8]]) -> list[tuple[Detection, ...]]:
        assert 0 < len(images) <= self.batch_size
        self._detector.images += len(images)
        return [self._one(image) for image in images]

    def _one(self, image: NDArray[np.uint8]) -> tuple[Detection, ...]:
        coloured = np.ptp(image.astype(np.int16), axis=2) > 40
        _, _, boxes, _ = cv2.connectedComponentsWithStats(coloured.astype(np.uint8))
        found = [
            Detection(x=x + w / 2, y=y + h / 2, width=w, height=h, confidence=0.9)
            for x, y, w, h, area in boxes[1:].tolist()
            if area > 50
        ]
        return tuple(d for d in found if d.confidence >= self._spec.confidence)


BLOBS = BlobDetector()
