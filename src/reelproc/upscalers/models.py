"""List the networks that can be named: what each is, what it costs, and the files that it is made of.

Plans and estimates need no more: nothing here loads a network or imports one's library.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reelproc.upscalers.base import UpscaleOptions
from reelproc.upscalers.weights import kept_file


@dataclass(frozen=True, slots=True)
class Model:
    """A network, as far as it is known without loading it.

    Attributes:
        name: what ``Upscale.model`` says.
        description: one line for people.
        file: its weights.
        scale: by which it enlarges; None: only its weights know.
        flop_per_pixel: floating point operations for one pixel of its input; None: only its weights know.
        weak_denoise_file: the twin whose weights are blended in for less denoising; None: there is none.
        footage: whether it is made for camera pictures, so that ``model="auto"`` may choose it.
    """

    name: str
    description: str
    file: str
    scale: int | None = None
    flop_per_pixel: float | None = None
    weak_denoise_file: str | None = None
    footage: bool = False


def compact_flop(features: int, convolutions: int, scale: int) -> float:
    """Return the operations of SRVGGNetCompact per pixel: 3x3 convolutions all at the input's size."""
    inner = convolutions * features * features * 9
    return 2.0 * (3 * features * 9 + inner + features * 3 * scale * scale * 9)


def rrdb_flop(scale: int) -> float:
    """Return the operations of RRDBNet with 64 features, 23 blocks and growth 32, per pixel of its input.

    The body works at the input's size, or, after folding pixels into channels, at a half of it for x2.
    """
    folded = (4 // scale) ** 2
    block = 9 * (64 * 32 + 96 * 32 + 128 * 32 + 160 * 32 + 192 * 64)
    body = 9 * 3 * folded * 64 + 23 * 3 * block + 9 * 64 * 64
    tail = 9 * 64 * (64 * 4 + (64 + 64 + 3) * 16)  # one convolution at twice, three at four times the body's size
    return 2.0 * (body + tail) / folded


MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model(
            "realesr-general-x4v3",
            "Real-ESRGAN's small network for all footage, x4; takes denoise_strength",
            "realesr-general-x4v3.pth",
            4,
            compact_flop(64, 32, 4),
            "realesr-general-wdn-x4v3.pth",
            footage=True,
        ),
        Model(
            "realesr-animevideov3",
            "Real-ESRGAN's small network for drawn animation, x4; half the work",
            "realesr-animevideov3.pth",
            4,
            compact_flop(64, 16, 4),
        ),
        Model(
            "RealESRGAN_x4plus",
            "Real-ESRGAN's deep network, x4; 15 times the work of realesr-general-x4v3",
            "RealESRGAN_x4plus.pth",
            4,
            rrdb_flop(4),
            footage=True,
        ),
        Model(
            "RealESRGAN_x2plus",
            "Real-ESRGAN's deep network, x2; 4 times the work of realesr-general-x4v3",
            "RealESRGAN_x2plus.pth",
            2,
            rrdb_flop(2),
            footage=True,
        ),
    )
}
"""By name."""


def onnx_file(model: Model, options: UpscaleOptions) -> str:
    """Return the name of the exported file of ``model``; a denoise strength is blended in when exporting.

    >>> onnx_file(MODELS["realesr-general-x4v3"], UpscaleOptions(denoise_strength=0.5))
    'realesr-general-x4v3-denoise-0.5.onnx'
    """
    if model.file.lower().endswith(".onnx"):
        return model.file
    strength = options.denoise_strength
    blend = "" if strength is None or strength == 1 else f"-denoise-{strength:g}"
    return f"{Path(model.file).stem}{blend}.onnx"


def exported_file(model: Model, options: UpscaleOptions) -> str | None:
    """Return the ``.onnx`` file of ``model``: itself, or one that was exported; None: it has to be made."""
    name = onnx_file(model, options)
    return name if name == model.file or kept_file(name) is not None else None


def weight_files(model: Model, options: UpscaleOptions) -> tuple[str, ...]:
    """Return the files that ``model`` is made of: its weights, and its twin's where they are blended in."""
    strength, twin = options.denoise_strength, model.weak_denoise_file
    blended = twin is not None and strength is not None and strength < 1
    return (model.file, twin) if blended and twin else (model.file,)
