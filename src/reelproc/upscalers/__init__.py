"""Ways to scale a picture, by name: classical resamplers, and networks where their extras are installed."""

from __future__ import annotations

from pathlib import Path

from reelproc.errors import SpecError
from reelproc.registry import Registry
from reelproc.upscalers.base import UpscaleOptions, Upscaler

__all__ = ["UPSCALERS", "find"]

UPSCALERS: Registry[Upscaler] = Registry("upscaler", group="reelproc.upscalers")
"""What ``Upscale.model`` may name. An entry is an :class:`~reelproc.upscalers.base.Upscaler`, not a class."""

# networks: the module knows their names, scales and costs; what runs them is imported when one is opened
for _name, _attribute in (
    ("realesr-general-x4v3", "GENERAL_X4V3"),
    ("realesr-animevideov3", "ANIMEVIDEOV3"),
    ("RealESRGAN_x4plus", "X4PLUS"),
    ("RealESRGAN_x2plus", "X2PLUS"),
):
    UPSCALERS.register(_name, f"reelproc.upscalers.networks:{_attribute}")

for _name in ("lanczos", "bicubic", "area"):
    UPSCALERS.register(_name, f"reelproc.upscalers.resamplers:{_name.upper()}")


def find(model: str, options: UpscaleOptions | None = None) -> Upscaler:
    """Return the upscaler that ``model`` names, set up.

    Args:
        model: a registered name, or the path of a ``.pth``, ``.pt``, ``.ckpt``, ``.safetensors`` or ``.onnx``
            file.
        options: how to run a network.

    Raises:
        SpecError: there is no such upscaler, or it has no such option.
        MissingDependencyError: its module needs a package that is not installed.
    """
    from reelproc.upscalers.networks import local_network
    from reelproc.upscalers.weights import SUFFIXES

    if model in UPSCALERS:
        return UPSCALERS.get(model).with_options(options or UpscaleOptions())
    local = local_network(model)
    if local is None and Path(model).is_file():
        raise SpecError(f"a network's file is one of {', '.join(SUFFIXES)}, got {model!r}; name it as what it is")
    return (local or UPSCALERS.get(model)).with_options(options or UpscaleOptions())
