"""What a detector is: a name, and a way to open a model for a run over frames.

An implementation registers an instance in :data:`reelproc.detectors.DETECTORS`. The instance is made when its module is
imported and lives as long as the process, so it is the place to keep a loaded network between jobs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reelproc.errors import SpecError
from reelproc.results import Detection

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["DetectSpec", "DetectWork", "Detection", "Detector", "class_numbers"]


@dataclass(frozen=True, slots=True)
class DetectSpec:
    """What is to be found, and by which model.

    Attributes:
        model: a path or a name, as the job gives it.
        confidence: what is less sure is left out, 0 to 1.
        classes: labels that count, at least one.
        image_size: pixels of the longer side in which the model sees a frame; a multiple of 32.
        trust: whether a checkpoint that nobody vouches for may be loaded.
        name: what people are told of the model; empty: ``model``.
    """

    model: str
    confidence: float = 0.5
    classes: tuple[str, ...] = ("person",)
    image_size: int = 640
    trust: bool = False
    name: str = ""

    @property
    def shown_model(self) -> str:
        """What people are told of the model."""
        return self.name or self.model


class DetectWork(ABC):
    """Looks at frames. Called from one thread."""

    batch_size: int = 1
    """How many images it would like to get at once."""

    @abstractmethod
    def __call__(self, images: Sequence[NDArray[np.uint8]]) -> list[tuple[Detection, ...]]:
        """Return what is on each of the images, in order; the surest first, boxes within the image.

        Args:
            images: from one to ``batch_size`` arrays (H, W, 3) uint8, blue, green, red. They are not changed.

        Raises:
            BackendError: the model cannot do it.
        """

    def close(self) -> None:
        """Release what belongs to this run; a loaded network stays with its :class:`Detector`. Safe to call twice."""
        return


class Detector(ABC):
    """A named way to find things.

    Attributes:
        name: as registered.
        description: one line for people.
        licence: of its packages, SPDX.
    """

    name: str
    description: str
    licence: str

    @abstractmethod
    def open(self, spec: DetectSpec) -> DetectWork:
        """Return the work for such a run.

        Raises:
            SpecError: the model has no such class.
            ObjectNotFoundError: there is no such model.
            BackendError: it cannot run here, or the checkpoint is not to be trusted.
        """


def class_numbers(labels: Sequence[str], classes: Sequence[str], model: str) -> list[int]:
    """Return the numbers of the model's ``labels`` that ``classes`` names.

    Raises:
        SpecError: there is no such class; the message lists those there are.

    >>> class_numbers(["ball", "person", "referee"], ["person", "referee"], "soccer.pt")
    [1, 2]
    """
    known = set(labels)
    unknown = [name for name in classes if name not in known]
    if unknown:
        raise SpecError(
            f"the model {model} has no class {', '.join(map(repr, unknown))}; it has {', '.join(labels)}: "
            "name those that count as classes",
            path=("classes",),
        )
    return [number for number, label in enumerate(labels) if label in set(classes)]
