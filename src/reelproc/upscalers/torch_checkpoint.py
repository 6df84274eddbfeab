"""A checkpoint as a network that torch can run, by spandrel."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from spandrel import ImageModelDescriptor, ModelLoader, SizeRequirements, UnsupportedModelError
from torch import Tensor

from reelproc.errors import BackendError
from reelproc.upscalers.checkpoint import PICKLED, not_tensors, unwrapped
from reelproc.upscalers.models import Model
from reelproc.upscalers.weights import checked_weights


def load_descriptor(model: Model, denoise_strength: float | None = None) -> ImageModelDescriptor[Any]:
    """Return the network of ``model`` on the CPU, in float32.

    Args:
        model: which.
        denoise_strength: 1 (or None) takes the model as it is, 0 its twin, between them the weights are mixed.

    Raises:
        BackendError: the weights are missing, or are not those of a network that enlarges RGB pictures.
    """
    tensors = _read(checked_weights(model.file))
    strength = 1.0 if denoise_strength is None else denoise_strength
    if strength < 1 and model.weak_denoise_file is not None:
        weak = _read(checked_weights(model.weak_denoise_file))
        if weak.keys() != tensors.keys():
            raise BackendError(f"{model.file} and {model.weak_denoise_file} are not the same network; fetch both again")
        tensors = {name: strength * tensor + (1 - strength) * weak[name] for name, tensor in tensors.items()}
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise BackendError(
                f"{model.file}: the weights {name!r} hold NaN or infinity, so no picture can come of it; its training "
                "failed or the file is damaged: use another checkpoint"
            )
    try:
        descriptor = ModelLoader().load_from_state_dict(tensors)
    except Exception as error:  # spandrel's guesses at a network's shape fail in all ways, down to ZeroDivisionError
        raise BackendError(_not_loaded(model.file, error)) from error
    if not isinstance(descriptor, ImageModelDescriptor) or (descriptor.input_channels, descriptor.output_channels) != (
        3,
        3,
    ):
        raise BackendError(f"{model.file} ({descriptor.architecture.name}) does not make an RGB picture of another")
    if model.scale not in (None, descriptor.scale):
        raise BackendError(f"{model.file} enlarges {descriptor.scale} times, and {model.name} is one for {model.scale}")
    descriptor.model.eval().requires_grad_(False)
    _as_official(descriptor)
    return descriptor


def _as_official(descriptor: ImageModelDescriptor[Any]) -> None:
    """Have RRDBNet's pictures filled up as the official program does.

    Those for x2 and x1 fold squares of 2 or 4 pixels, and that is what sides must be multiples of. spandrel always
    takes 4, so that with x2 and a side of 4 n + 2 the network would see two mirrored rows which are not there.
    """
    if descriptor.architecture.id == "ESRGAN":
        folded = getattr(descriptor.model, "shuffle_factor", None) or 1
        descriptor.size_requirements = SizeRequirements(minimum=2, multiple_of=folded)


def _not_loaded(file: str, error: Exception) -> str:
    """Return one or two lines, however many tensors are of the wrong shape."""
    if isinstance(error, UnsupportedModelError):
        return f"{file} is of no network that spandrel knows: {error}"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    faults = [line for line in lines if line.startswith("size mismatch")]
    if faults:
        return (
            f"{file} is of no network that spandrel knows: {lines[0].removesuffix(':')}: {len(faults)} tensors have "
            f"other shapes than that architecture's, the first being: {faults[0]}"
        )
    more = f" (and {len(lines) - 2} lines more)" if len(lines) > 2 else ""
    said = " ".join(lines[:2])[:400]
    kind = "" if isinstance(error, RuntimeError) else f"{type(error).__name__}: "
    return f"{file} is of no network that spandrel knows: {kind}{said}{more}"


def _read(path: Path) -> dict[str, Tensor]:
    """Return the tensors in a file; a pickle in it that makes anything else is refused."""
    suffix = path.suffix.lower()
    if suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            data: Any = load_file(path)
        except (SafetensorError, OSError) as error:
            raise BackendError(f"{path} is not a safetensors file: {error}") from error
    elif suffix in PICKLED:
        try:
            data = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # pickle, zip and torch raise all kinds on a file that is none of theirs
            raise not_tensors(path, _without_advice(error)) from error
    else:
        raise BackendError(f"the backend 'torch' takes {', '.join(PICKLED)} and .safetensors files, got {path.name}")
    return {name: tensor.float() for name, tensor in unwrapped(data, Tensor, path).items()}


def _without_advice(error: Exception) -> str:
    """Return torch's reason, without its advice to load the file with ``weights_only=False``, which would run it."""
    if found := re.search(r"GLOBAL (\S+)", str(error)):
        return f"it asks for {found[1]}"
    if found := re.search(r"^(Unsupported .*)$", str(error), re.MULTILINE):
        return found[1][:200]
    first = str(error).partition("\n")[0]
    return type(error).__name__ if not first or "weights" in first.lower() else first[:200]
