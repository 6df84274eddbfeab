"""Where a job can be done, and what is published about it: the ground that predictions stand on.

Nothing here was measured by this project. Where a rate of some hardware is not in the calibration, it is worked out
from these figures, and what comes of it is labelled ``predicted``.
"""

from __future__ import annotations

from dataclasses import dataclass

from reelproc.errors import SpecError
from reelproc.executors.hardware import this_machine
from reelproc.executors.modal.presets import COORDINATOR, PRESETS
from reelproc.schema import Schema
from reelproc.suggestions import did_you_mean

THREADS_PER_CORE = 2
"""Modal's unit is a physical core; ``local`` counts logical processors."""


class Place(Schema):
    """Hardware that a job runs on.

    Attributes:
        executor: the name of the executor that uses it.
        gpu: as the price table names it; None: none.
        cores: physical cores requested.
        threads: logical processors that can be kept busy.
        memory_bytes: requested.
        rented: whether its seconds are billed.
    """

    executor: str
    gpu: str | None = None
    cores: float
    threads: float
    memory_bytes: float
    rented: bool = True


PLACES = ("local", "modal-cpu", "modal-t4", "modal-l4")
"""What an estimate looks at unless told otherwise."""


def place(name: str) -> Place:
    """Return the hardware of the executor ``name``.

    Raises:
        SpecError: nothing is known of it.
    """
    if name == "local":
        here = this_machine()
        return Place(executor=name, cores=here.cores, threads=here.cores, memory_bytes=here.memory_bytes, rented=False)
    preset = COORDINATOR if name == COORDINATOR.name else PRESETS.get(name)
    if preset is None:
        known = ("local", *PRESETS)
        meant = did_you_mean(name, known)
        raise SpecError(f"nothing is known of hardware {name!r}; there are: {', '.join(known)}{meant}")
    return Place(
        executor=name,
        gpu=preset.gpu,
        cores=preset.cores,
        threads=preset.cores * THREADS_PER_CORE,
        memory_bytes=preset.memory_mib << 20,
    )


@dataclass(frozen=True, slots=True)
class Device:
    """What a GPU's maker says of it.

    Attributes:
        tflops: peak of dense half-precision matrix arithmetic, 1e12 operations per second.
        bandwidth: of its memory, 1e9 bytes per second.
        source: the data sheet.
    """

    tflops: float
    bandwidth: float
    source: str


DEVICES = {
    "T4": Device(65, 320, "NVIDIA T4 data sheet, DS-09025-001"),
    "L4": Device(121, 300, "NVIDIA L4 data sheet (242 with sparsity)"),
    "A10": Device(125, 600, "NVIDIA A10 data sheet (250 with sparsity)"),
    "L40S": Device(362, 864, "NVIDIA L40S data sheet (733 with sparsity)"),
    "A100-40GB": Device(312, 1555, "NVIDIA A100 data sheet (624 with sparsity)"),
    "A100-80GB": Device(312, 2039, "NVIDIA A100 data sheet, SXM (624 with sparsity)"),
    "H100": Device(989, 3350, "NVIDIA H100 data sheet, SXM (1979 with sparsity)"),
}
"""By the name in the price table."""

FLOP_PER_BYTE = 288
"""Of a 3x3 convolution of 64 to 64 channels in half precision that reads and writes its pixels once: 2 x 9 x 64 x 64
operations for 2 x 64 x 2 bytes. Real-ESRGAN's networks are little else."""


@dataclass(frozen=True, slots=True)
class Assumption:
    """A figure that stands in for a measurement.

    Attributes:
        value, low, high: what is likely, and between what bounds.
        source: why.
    """

    value: float
    low: float
    high: float
    source: str


ASSUMPTIONS = {
    "startup": Assumption(4.5, 2.0, 7.0, "container starts in the highlight app's cost experiments, 2026-01: 2 to 7 s"),
    "load": Assumption(4.0, 3.0, 8.0, "loading Real-ESRGAN in the highlight app's cost experiments: about 4 s"),
    "download": Assumption(1 / 50, 1 / 200, 1 / 15, "50 MB/s (15 to 200) between object storage and a container"),
    "upload": Assumption(1 / 50, 1 / 200, 1 / 15, "50 MB/s (15 to 200) between a container and object storage"),
    # of the time that a GPU's peaks allow: convolutions of 64 channels fill a matrix unit badly
    "efficiency": Assumption(0.35, 0.2, 0.6, "share of a GPU's published peak that these networks reach"),
    "cpu": Assumption(1.0, 0.6, 1.8, "time of a logical processor there over the reference machine's"),
    # bytes in and out of the device's memory, and little else: the rest of the work is done there
    "stage.network": Assumption(0.002, 0.0005, 0.01, "handing frames to a GPU and back: 2 ms a megapixel"),
    "silence": Assumption(0.18, 0.15, 0.25, "time of encoding silence over that of reading and encoding sound"),
    "nvenc": Assumption(1 / 500, 1 / 1000, 1 / 250, "500 megapixels/s (250 to 1000): NVENC H.264, preset p4"),
}
"""By kind; seconds per unit but for the three shares. Silence: ten renders of 60 s here, 2026-11-27."""
