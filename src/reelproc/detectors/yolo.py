"""The backend ``"ultralytics"``: YOLO models by the package of that name, which is under AGPL-3.0 (extra ``detect``).

The package is kept from reaching out: it downloads nothing, installs nothing, reports nothing, prints nothing, and
keeps its settings in reelproc's own cache folder, not in the user's home. A variable that the user has set stays.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import PurePath
from types import ModuleType
from typing import TYPE_CHECKING, Any

from reelproc.detectors.base import Detection, Detector, DetectSpec, DetectWork, class_numbers
from reelproc.detectors.checkpoints import Checkpoint, find_checkpoint, trusted_checkpoint
from reelproc.errors import BackendError, MissingDependencyError, OutOfMemoryError
from reelproc.folders import cache_folder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@contextmanager
def _opencv_untouched() -> Iterator[None]:
    """Undo that the package sets OpenCV to one thread at its import: the rest of the process did not ask for it."""
    import cv2

    threads = cv2.getNumThreads()
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


@contextmanager
def _variable_untouched(name: str) -> Iterator[None]:
    """Undo that the package sets OMP_NUM_THREADS=1: whatever is started afterwards would inherit it."""
    before = os.environ.get(name)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)


class _Threads:
    """Torch's number of threads, set back after the package.

    To choose the CPU, the package calls ``torch.set_num_threads`` with the cores less one, 8 at most: half of a machine
    with two cores, for the detection and for whatever the process does next.
    """

    def __init__(self, torch: Any) -> None:
        self._torch = torch
        self._wanted = torch.get_num_threads()

    def remember(self) -> None:
        """Remember the number of threads that there is now as the wanted one."""
        self._wanted = self._torch.get_num_threads()

    def set_back(self, _predictor: Any = None) -> None:
        """As a callback: when the device has been chosen, before the first picture."""
        if self._torch.get_num_threads() != self._wanted:
            self._torch.set_num_threads(self._wanted)


def _quiet_settings() -> None:
    for name, value in (("YOLO_OFFLINE", "1"), ("YOLO_AUTOINSTALL", "false"), ("YOLO_VERBOSE", "false")):
        os.environ.setdefault(name, value)
    if "YOLO_CONFIG_DIR" not in os.environ:
        try:
            cache_folder().mkdir(parents=True, exist_ok=True)
        except OSError:
            return  # nothing can be kept there: the package finds a folder itself, at worst a temporary one
        os.environ["YOLO_CONFIG_DIR"] = str(cache_folder())


@cache
def _package() -> tuple[ModuleType, ModuleType]:
    """torch and ultralytics, imported when they are first needed.

    Raises:
        MissingDependencyError: they are not installed.
    """
    _quiet_settings()
    try:
        with _opencv_untouched(), _variable_untouched("OMP_NUM_THREADS"):
            import torch
            import ultralytics
    except ImportError as error:
        raise MissingDependencyError(
            f"the detector 'ultralytics' needs a package that is not installed ({error}); "
            "pip install 'reelproc[detect]' (ultralytics is under AGPL-3.0)"
        ) from error
    return torch, ultralytics


class UltralyticsDetector(Detector):
    """Opens checkpoints of ultralytics, and keeps those it has loaded."""

    name = "ultralytics"
    description = "YOLO models by ultralytics, on CUDA where there is a device, else on the CPU"
    licence = "AGPL-3.0"

    def __init__(self) -> None:
        self._loaded: dict[str, tuple[Any, _Threads]] = {}
        self._lock = threading.Lock()

    def open(self, spec: DetectSpec) -> DetectWork:
        """Return the model, loaded, or as it was loaded before in this process.

        Raises:
            SpecError: the model has no such class.
            ObjectNotFoundError: there is no such checkpoint.
            MissingDependencyError: the extra ``detect`` is not installed.
            BackendError: it is not to be trusted, or no model for detection.
        """
        _package()
        checkpoint = trusted_checkpoint(find_checkpoint(spec.model), trust=spec.trust, name=spec.name)
        with self._lock:
            if checkpoint.sha256 not in self._loaded:
                self._loaded[checkpoint.sha256] = _load(checkpoint)
            model, threads = self._loaded[checkpoint.sha256]
        names: dict[int, str] = model.names
        labels = [checkpoint.labels.get(names[number], names[number]) for number in sorted(names)]
        return _UltralyticsWork(
            model, threads, labels, class_numbers(labels, spec.classes, PurePath(checkpoint.name).name), spec
        )

    def loaded(self) -> tuple[str, ...]:
        """Return the sha256 of the checkpoints that are in memory."""
        return tuple(self._loaded)


def _load(checkpoint: Checkpoint) -> tuple[Any, _Threads]:
    torch, ultralytics = _package()
    threads = _Threads(torch)
    try:
        model = ultralytics.YOLO(str(checkpoint.path))
        task = model.task
    except Exception as error:  # it raises whatever comes up, down to errors of pickle and of torch
        raise BackendError(
            f"ultralytics {ultralytics.__version__} cannot load {checkpoint.name} ({type(error).__name__}: {error}); "
            "expected a YOLO checkpoint for detection"
        ) from error
    if task != "detect":
        raise BackendError(f"{checkpoint.name} is a model for {task!r}; expected one for 'detect'")
    threads.set_back()
    model.add_callback("on_predict_start", threads.set_back)
    return model, threads


class _UltralyticsWork(DetectWork):
    def __init__(self, model: Any, threads: _Threads, labels: list[str], numbers: list[int], spec: DetectSpec) -> None:
        self._model, self._labels, self._numbers, self._spec = model, labels, numbers, spec
        self._threads = threads
        self._torch, _ = _package()
        self._device = "cuda:0" if self._torch.cuda.is_available() else "cpu"
        self.batch_size = 16 if self._device != "cpu" else 1  # on two cores a batch gained nothing

    def __call__(self, images: Sequence[NDArray[np.uint8]]) -> list[tuple[Detection, ...]]:
        self._threads.remember()
        try:
            results = self._model.predict(
                list(images),
                conf=self._spec.confidence,
                classes=self._numbers,
                imgsz=self._spec.image_size,
                device=self._device,
                verbose=False,
                save=False,
            )
        except self._torch.OutOfMemoryError as error:
            raise OutOfMemoryError(
                f"{self._spec.shown_model} does not fit the device at image_size {self._spec.image_size}; "
                "use a smaller one"
            ) from error
        except (RuntimeError, TypeError, ValueError) as error:
            raise BackendError(f"{self._spec.shown_model} failed on a frame: {error}") from error
        finally:
            self._threads.set_back()
        return [self._detections(result.boxes) for result in results]

    def _detections(self, boxes: Any) -> tuple[Detection, ...]:
        found = [
            Detection(
                x=round((left + right) / 2, 2),
                y=round((top + bottom) / 2, 2),
                width=round(right - left, 2),
                height=round(bottom - top, 2),
                confidence=min(1.0, round(confidence, 4)),
                label=self._labels[int(number)],
            )
            for (left, top, right, bottom), confidence, number in zip(
                boxes.xyxy.tolist(), boxes.conf.tolist(), boxes.cls.tolist(), strict=True
            )
            if right - left >= 0.01 and bottom - top >= 0.01
        ]
        return tuple(sorted(found, key=lambda d: -d.confidence))


ULTRALYTICS = UltralyticsDetector()
