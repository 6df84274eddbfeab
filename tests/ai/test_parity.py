"""The torch backend makes what the official code makes: of real frames, with real weights, whole and in tiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from ai.networks import deep_network
from numpy.typing import NDArray

from reelproc.media.read.reader import open_video
from reelproc.pixels.frame import Frame, Window
from reelproc.pixels.placement import Rectangle
from reelproc.stages.upscale import CONTEXT
from reelproc.testing.pictures import psnr
from reelproc.upscalers import find, weights
from reelproc.upscalers.base import Sample, UpscaleOptions, UpscaleSpec
from reelproc.upscalers.host_picture import planes_of, rgb_of
from reelproc.upscalers.models import MODELS
from reelproc.upscalers.onnx_export import export
from reelproc.upscalers.onnx_network import BACKEND as ONNX
from reelproc.upscalers.realesrgan_reference import BACKEND as REFERENCE
from reelproc.upscalers.torch_checkpoint import load_descriptor
from reelproc.upscalers.torch_network import BACKEND as TORCH
from reelproc.upscalers.torch_network import TorchNetwork

CPU = UpscaleOptions(backend="cpu")
CUT = Window(300, 96, 64, 48)
"""Pedestrians on a pavement."""


@pytest.fixture(scope="module")
def street(footage: Path) -> Frame:
    with open_video(footage / "vtest.avi", pix_fmt="yuv420p", end=0.2) as reader:
        return next(iter(reader)).part(*(int(side) for side in CUT))


@pytest.fixture(scope="module")
def pavement(footage: Path) -> Frame:
    """The same with what is around it."""
    with open_video(footage / "vtest.avi", pix_fmt="yuv444p", end=0.2) as reader:
        return next(iter(reader)).part(236, 50, 180, 144)


def enlarged(network: TorchNetwork, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """By the network alone, rounded as the official code does."""
    picture = torch.from_numpy(rgb.transpose(2, 0, 1)[None].astype(np.float32) / 255)
    with torch.inference_mode():
        large = network.enlarge_rgb(picture)[0].float()
    return (large * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()


def levels(one: NDArray[np.uint8], two: NDArray[np.uint8]) -> int:
    return int(np.abs(one.astype(int) - two).max())


@pytest.mark.parametrize(
    ("model", "denoise"),
    [("realesr-general-x4v3", None), ("realesr-general-x4v3", 0.5), ("realesr-animevideov3", None)],
)
def test_torch_equals_the_reference_within_a_level(street: Frame, model: str, denoise: float | None) -> None:
    options = UpscaleOptions(backend="cpu", denoise_strength=denoise)
    rgb = rgb_of(street)
    wanted = REFERENCE.load(MODELS[model], options).enlarge(rgb)
    assert wanted.std() > 20
    assert levels(enlarged(TORCH.load(MODELS[model], options), rgb), wanted) <= 1


@pytest.mark.parametrize("model", ["realesr-general-x4v3", "realesr-animevideov3"])
@pytest.mark.parametrize("tile", [16, 24, 40])
def test_tiles_with_the_networks_reach_around_them_change_nothing(street: Frame, model: str, tile: int) -> None:
    rgb = rgb_of(street)
    wanted = REFERENCE.load(MODELS[model], CPU).enlarge(rgb)
    network = TorchNetwork(load_descriptor(MODELS[model]), torch.device("cpu"), torch.float32, tile)
    assert network.overlap == {"realesr-general-x4v3": 34, "realesr-animevideov3": 18}[model]
    assert levels(enlarged(network, rgb), wanted) <= 1


def test_tiles_without_overlap_would_show(street: Frame) -> None:
    """The bound above is not for want of sensitivity."""
    rgb = rgb_of(street)
    network = TorchNetwork(load_descriptor(MODELS["realesr-general-x4v3"]), torch.device("cpu"), torch.float32, 16)
    whole = enlarged(network, np.ascontiguousarray(rgb))
    network.overlap = 0
    assert levels(enlarged(network, rgb), whole) > 8


@pytest.mark.parametrize(("model", "scale"), [("RealESRGAN_x4plus", 4), ("RealESRGAN_x2plus", 2)])
def test_the_deep_networks_equal_the_reference_too(
    street: Frame, model: str, scale: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their shape with random weights: 23 blocks, whose rounding errors add up to no more than a level either."""
    monkeypatch.setenv("REELPROC_WEIGHTS", str(tmp_path / "kept"))
    weights.add(deep_network(tmp_path / MODELS[model].file, scale))
    rgb = np.ascontiguousarray(rgb_of(street)[:32, :32])
    wanted = REFERENCE.load(MODELS[model], CPU).enlarge(rgb)
    assert wanted.shape == (32 * scale, 32 * scale, 3)
    assert wanted.std() > 5
    assert levels(enlarged(TORCH.load(MODELS[model], CPU), rgb), wanted) <= 1


@pytest.mark.parametrize("size", [(34, 32), (33, 26), (7, 5)])
def test_every_backend_fills_up_a_picture_for_x2_as_the_official_program_does(
    street: Frame, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It folds squares of two pixels: sides of 4 n + 2 are whole, odd ones get one mirrored row."""
    monkeypatch.setenv("REELPROC_WEIGHTS", str(tmp_path / "kept"))
    model = MODELS["RealESRGAN_x2plus"]
    weights.add(deep_network(tmp_path / model.file, 2))
    rgb = np.ascontiguousarray(rgb_of(street)[: size[1], : size[0]])
    wanted = REFERENCE.load(model, CPU).enlarge(rgb)
    assert wanted.shape == (size[1] * 2, size[0] * 2, 3)
    assert levels(enlarged(TORCH.load(model, CPU), rgb), wanted) <= 1
    assert levels(ONNX.load(model, CPU).enlarge_fitting(rgb), wanted) <= 1
    if size == (7, 5):
        export(model)
        assert levels(ONNX.load(model, CPU).enlarge_fitting(rgb), wanted) <= 1


@pytest.mark.parametrize(
    ("model", "denoise"),
    [("realesr-general-x4v3", None), ("realesr-general-x4v3", 0.5), ("realesr-animevideov3", None)],
)
def test_a_graph_made_without_torch_equals_the_reference_within_a_level(
    street: Frame, model: str, denoise: float | None
) -> None:
    options = UpscaleOptions(backend="cpu", denoise_strength=denoise)
    rgb = np.ascontiguousarray(rgb_of(street)[:45, :37])
    network = ONNX.load(MODELS[model], options)
    assert levels(network.enlarge_fitting(rgb), REFERENCE.load(MODELS[model], options).enlarge(rgb)) <= 1
    same = TORCH.load(MODELS[model], options)
    assert (network.scale, network.overlap, network.needs) == (same.scale, same.overlap, same.needs)
    assert network.flop_per_pixel == pytest.approx(same.flop_per_pixel, rel=1e-6)


@pytest.mark.parametrize("backend", ["torch:cpu", "onnx:cpu", "realesrgan:cpu"])
def test_the_stage_is_the_reference_and_then_a_good_resize(street: Frame, backend: str) -> None:
    """At least 50 dB: what rounding between the steps costs, which the torch backend does not do."""
    spec = UpscaleSpec(64, 48, 96, 72, Rectangle(0, 0, 96, 72), "yuv420p")
    window = Window(0, 0, 64, 48)
    work = find("realesr-general-x4v3", UpscaleOptions(backend=backend)).open(spec)
    (made,) = work([Sample(street.copy(), window)])
    work.close()
    large = REFERENCE.load(MODELS["realesr-general-x4v3"], CPU).enlarge(rgb_of(street))
    wanted = Frame.empty(96, 72, "yuv420p")
    for plane, right in zip(wanted.planes, planes_of(large, Window(0, 0, 256, 192), spec), strict=True):
        plane[...] = right
    assert psnr(made, wanted) > 50


@pytest.mark.parametrize("model", ["realesr-general-x4v3", "realesr-animevideov3"])
def test_a_crop_is_the_cut_out_of_the_whole_enlarged_frame(pavement: Frame, model: str) -> None:
    """Within a level in every sample, with the default context; without, its edges are guesses."""
    window, whole = Window(62, 50, 52, 44), Window(0, 0, pavement.width, pavement.height)
    upscaler = find(model, UpscaleOptions(backend="torch:cpu"))

    def enlarged(window: Window, context: int) -> Frame:
        width, height = int(window.width) * 4, int(window.height) * 4
        place = Rectangle(0, 0, width, height)
        spec = UpscaleSpec(width // 4, height // 4, width, height, place, "yuv444p", context)
        return upscaler.open(spec)([Sample(pavement.copy(), window)])[0]

    everything = enlarged(whole, 0)
    wanted = everything.part(*(int(side) * 4 for side in window))
    assert levels(enlarged(window, CONTEXT).data, wanted.data) <= 1
    assert levels(enlarged(window, 0).data, wanted.data) > 8


def test_colours_do_not_shift(street: Frame) -> None:
    """The mean of every plane stays within a level of the classical resize's."""
    spec = UpscaleSpec(64, 48, 96, 72, Rectangle(0, 0, 96, 72), "yuv420p")
    sample = Sample(street, Window(0, 0, 64, 48))
    (network,) = find("realesr-general-x4v3", UpscaleOptions(backend="torch:cpu")).open(spec)([sample])
    (classical,) = find("lanczos").open(spec)([sample])
    for one, two in zip(network.planes, classical.planes, strict=True):
        assert abs(float(one.mean()) - float(two.mean())) < 1


@pytest.mark.usefixtures("any_processor")
def test_bfloat16_is_close(street: Frame) -> None:
    """40 dB beside float32, at a third of the time where the CPU has AVX512-BF16."""
    spec = UpscaleSpec(64, 48, 96, 72, Rectangle(0, 0, 96, 72), "yuv420p")
    sample = Sample(street, Window(0, 0, 64, 48))
    made = [
        find("realesr-general-x4v3", UpscaleOptions(backend="torch:cpu", precision=precision)).open(spec)([sample])[0]
        for precision in ("fp32", "bf16")
    ]
    assert psnr(*made) > 40
