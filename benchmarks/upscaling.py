"""What does Real-ESRGAN cost here, and how much of that is the network?

    python benchmarks/upscaling.py [--frames 6] [--rounds 2] [--device cpu] [--skip-deep]

The reference does what the original program did for every frame: ``RealESRGANer.enhance`` at outscale 4, a Lanczos
resize, a PNG to disk (a later pass read it again; that is not counted). reelproc does it inside its pipeline. Same
weights, same frames, same machine, in turn: 270x480 of a pan over ``vtest.avi`` to 406x720 (4:2:0 has even sides).

1. End to end: reelproc's render, in a warm worker, beside the bare network in a loop and beside the reference. On a
   CPU also beside the bare network in a process whose ``malloc`` keeps no large blocks (``reelproc.machine.malloc``).
2. Host: the same with the network replaced by a stand-in of the same shapes that costs next to nothing.
3. Every model: operations, seconds, and the share of this device's measured rate of matrix products.

Outputs are compared before anything is timed. On CUDA (``--device cuda``, and on Modal) it runs unchanged.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from bench import ASSETS, moving_camera, paired, report
from PIL import Image

import reelproc as rp
from reelproc.media.read.reader import open_video
from reelproc.pixels.frame import Frame, Window
from reelproc.upscalers import weights
from reelproc.upscalers.base import UpscaleOptions
from reelproc.upscalers.host_picture import rgb_of
from reelproc.upscalers.models import MODELS, Model
from reelproc.upscalers.realesrgan_reference import BACKEND as REFERENCE
from reelproc.upscalers.torch_checkpoint import load_descriptor
from reelproc.upscalers.torch_network import BACKEND as TORCH
from reelproc.upscalers.torch_network import TorchNetwork, torch_device
from reelproc_lab.original_programs.framing_ai import upscale_to_pngs

MODEL = "realesr-general-x4v3"
CROP, TARGET, LARGE = (270, 480), (406, 720), (540, 960)
UNTOLD = "bare network, malloc left alone"


def synchronize(device: torch.device) -> None:
    """Wait for the device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def matrix_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Operations per second of a large product of matrices, the best of five."""
    n = 4096 if device.type == "cuda" else 1536
    a, b = (torch.randn(n, n, device=device).to(dtype) for _ in range(2))
    best = 0.0
    for _ in range(5):
        synchronize(device)
        begin = time.perf_counter()
        a @ b
        synchronize(device)
        best = max(best, 2 * n**3 / (time.perf_counter() - begin))
    return best


class Cheap(torch.nn.Module):  # type: ignore[misc]  # torch is Any to type checkers here
    """A stand-in for a network: repeats pixels, as fast as memory allows, laid out as the network's own result is."""

    def forward(self, x: Any) -> Any:
        """(N, 3, H, W) four times as large."""
        last = x.is_contiguous(memory_format=torch.channels_last)
        large = torch.nn.functional.interpolate(x, scale_factor=4.0, mode="nearest")
        return large.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)


def crops(source: Path, count: int) -> list[Frame]:
    """Decode the frames that both get."""
    with open_video(source, pix_fmt="yuv420p", end=2.0) as reader:
        return [frame.part(820, 300, *CROP) for frame, _ in zip(reader, range(count), strict=False)]


def reel(source: Path, frames: int, backend: str) -> rp.Reel:
    """Return the same crop as a reel."""
    crop = rp.Crop(keyframes=[rp.CropKeyframe(time=0, x=820, y=300, width=CROP[0], height=CROP[1])])
    upscale = rp.Upscale(model=MODEL, backend=backend)
    clip = rp.Clip(source=source, start=0, end=frames / 30, stages=[crop, upscale])
    return rp.Reel(clips=[clip], output=rp.Output(width=TARGET[0], height=TARGET[1], fps=30, audio=False))


def reference_loop(frames: list[Frame], engine: Any, folder: Path) -> float:
    """Do the original's work; return the seconds outside of the network."""
    network = 0.0
    inner = engine.engine.model

    def timed(x: Any) -> Any:
        nonlocal network
        begin = time.perf_counter()
        y = inner(x)
        synchronize(torch.device(engine.engine.device))
        network += time.perf_counter() - begin
        return y

    def enhance(images: Sequence[Any]) -> list[Any]:
        return [engine.engine.enhance(image, outscale=4)[0] for image in images]

    engine.engine.model = timed
    begin = time.perf_counter()
    try:
        pictures = (np.asarray(cv2.cvtColor(rgb_of(frame), cv2.COLOR_RGB2BGR), np.uint8) for frame in frames)
        upscale_to_pngs(pictures, enhance, TARGET, folder)
    finally:
        engine.engine.model = inner
    return time.perf_counter() - begin - network


def check(frames: list[Frame], reference: Any, device: str) -> float:
    """dB between the first frame of both, resized alike."""
    from reelproc.pixels.placement import Rectangle
    from reelproc.upscalers import find
    from reelproc.upscalers.base import Sample, UpscaleSpec

    spec = UpscaleSpec(*CROP, *TARGET, Rectangle(0, 0, *TARGET), "rgb24")
    picture = Frame.from_image(rgb_of(frames[0]), "rgb24")
    work = find(MODEL, UpscaleOptions(backend=f"torch:{device}")).open(spec)
    (ours,) = work([Sample(picture, Window(0, 0, *CROP))])
    work.close()
    theirs = np.asarray(Image.fromarray(reference.enlarge(picture.image)).resize(TARGET, Image.Resampling.LANCZOS))
    error = np.mean((ours.image.astype(float) - theirs) ** 2)
    decibels = float(10 * np.log10(255**2 / error))
    assert decibels > 40, f"the outputs differ: {decibels:.1f} dB"
    return round(decibels, 1)


def model_table(device: torch.device, *, deep: bool) -> list[dict[str, object]]:
    """Each model at 540x960 where that is affordable, else at a small size and scaled up (said so)."""
    precisions = ("fp16",) if device.type == "cuda" else ("fp32", "bf16")
    rates = {
        p: matrix_rate(device, {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[p])
        for p in precisions
    }
    rows: list[dict[str, object]] = []
    for model in MODELS.values():
        if model.name.startswith("RealESRGAN_") and not deep:
            continue
        for precision in precisions:
            width, height = (540, 960) if device.type == "cuda" else (270, 480)
            if device.type == "cpu" and model.name.startswith("RealESRGAN_"):
                width, height = 96, 96
            net = _network(model, device, precision)
            x = torch.rand(1, 3, height, width, device=device)
            seconds = []
            for _ in range(2):
                synchronize(device)
                begin = time.perf_counter()
                with torch.inference_mode():
                    net.enlarge_rgb(x)
                synchronize(device)
                seconds.append(time.perf_counter() - begin)
            flop = net.flop_per_pixel * width * height
            best = min(seconds)
            rows.append(
                {
                    "model": model.name,
                    "precision": precision,
                    "tflop_per_540x960": round(net.flop_per_pixel * 540 * 960 / 1e12, 2),
                    "measured_at": f"{width}x{height}",
                    "seconds": round(best, 4),
                    "seconds_per_540x960_extrapolated": round(best * 540 * 960 / (width * height), 3),
                    "gflop_per_second": round(flop / best / 1e9),
                    "share_of_matrix_rate": round(flop / best / rates[precision], 2),
                }
            )
            print(rows[-1], flush=True)
    rows.append({"matrix_gflop_per_second": {p: round(r / 1e9) for p, r in rates.items()}})
    return rows


def _network(model: Model, device: torch.device, precision: str) -> Any:
    if not model.name.startswith("RealESRGAN_"):
        return TORCH.load(model, UpscaleOptions(backend=str(device), precision=precision))
    # time does not depend on the weights' values: random ones in the network's shape do, without 67 MB
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
    deep_network = importlib.import_module("ai.networks").deep_network

    with tempfile.TemporaryDirectory() as folder:
        path = deep_network(Path(folder) / f"{model.name}.pth", model.scale or 4)
        return TORCH.load(Model(model.name, "", str(path)), UpscaleOptions(backend=str(device), precision=precision))


def main() -> None:
    """Compare the outputs, then the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--skip-deep", action="store_true", help="leave the two deep networks out of the table")
    options = parser.parse_args()
    device = torch_device(options.device)
    with tempfile.TemporaryDirectory(prefix="reelproc-upscaling-") as name, rp.executor("local") as executor:
        folder = Path(name)
        source = moving_camera(folder / "pan.mp4", 2)
        frames = crops(source, options.frames)
        reference = REFERENCE.load(MODELS[MODEL], UpscaleOptions(backend=options.device, precision="fp32"))
        network = TORCH.load(MODELS[MODEL], UpscaleOptions(backend=options.device))
        decibels = check(frames, reference, options.device)

        def ours() -> None:
            job = rp.RenderJob(
                reel=reel(source, len(frames), f"torch:{options.device}"), output=str(folder / "out.mp4")
            )
            assert executor.submit(job).result().frame_count == len(frames)

        def theirs() -> None:
            reference_loop(frames, reference, folder)

        contestants: dict[str, Callable[[], object]] = {
            "bare network": partial(repeat, network, len(frames), CROP),
            "reelproc render": ours,
            "reference": theirs,
        }
        host = host_times(frames, reference, network, folder)
        print({"host seconds per frame": host, "dB": decibels}, flush=True)
        title = f"end to end, {CROP[0]}x{CROP[1]} to {TARGET[0]}x{TARGET[1]}, {len(frames)} frames"
        if device.type == "cpu":
            with bare_elsewhere() as elsewhere:

                def untold(count: int, size: tuple[int, int]) -> None:
                    elsewhere.send((count, size))
                    assert elsewhere.recv() == (count, size)

                contestants[UNTOLD] = partial(untold, len(frames), CROP)
                pairs = {title: paired(contestants, floor="bare network", rounds=options.rounds)}
                large: dict[str, Callable[[], object]] = {
                    UNTOLD: partial(untold, 2, LARGE),
                    "bare network": partial(repeat, network, 2, LARGE),
                }
                title = f"the bare network alone, {LARGE[0]}x{LARGE[1]}, 2 frames"
                pairs[title] = paired(large, floor=UNTOLD, rounds=options.rounds)
        else:
            pairs = {title: paired(contestants, floor="bare network", rounds=options.rounds)}
        models = model_table(device, deep=not options.skip_deep)
    name = "upscaling" if device.type == "cpu" else f"upscaling-{device.type}"
    extra = {
        "device": str(device) if device.type == "cpu" else torch.cuda.get_device_name(device),
        "torch": torch.__version__,
        "weights": str(ASSETS / "weights"),
        "decibels_between_outputs": decibels,
        "host_seconds_per_frame": host,
        "models": models,
    }
    report(name, "how much of an upscaled frame's time is the network's?", pairs, extra)


def repeat(network: TorchNetwork, count: int, size: tuple[int, int]) -> None:
    """Enlarge a picture of a (width, height) so many times."""
    device = network.descriptor.device
    one = torch.rand(1, 3, size[1], size[0], device=device)
    with torch.inference_mode():
        for _ in range(count):
            network.enlarge_rgb(one)
    synchronize(device)


def _bare_child(calls: Connection) -> None:
    """Run the bare network in a loop, as anybody's program would."""
    network = TorchNetwork(load_descriptor(MODELS[MODEL]), torch.device("cpu"), torch.float32)
    while asked := calls.recv():
        repeat(network, *asked)
        calls.send(asked)


@contextmanager
def bare_elsewhere() -> Iterator[Connection]:
    """Run in a process of its own, with an untouched ``malloc``."""
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(target=_bare_child, args=(theirs,), daemon=True)
    child.start()
    try:
        yield ours
        ours.send(None)
        child.join(60)
    finally:
        child.kill()


def host_times(frames: list[Frame], reference: Any, network: Any, folder: Path) -> dict[str, float]:
    """Seconds per frame outside of the network, which is a stand-in of the same shapes; eight runs in turn."""
    kept = reference.engine.model, network.descriptor
    reference.engine.model = Cheap()
    network.descriptor = Cheap()
    try:
        theirs, mine = [], []
        for _ in range(9):
            theirs.append(reference_loop(frames, reference, folder) / len(frames))
            mine.append(_stage_alone(frames, network) / len(frames))
    finally:
        reference.engine.model, network.descriptor = kept
    found = {}
    for name, seconds in (("reference", theirs[1:]), ("reelproc stage", mine[1:])):
        found[f"{name}, median"], found[f"{name}, least"] = round(statistics.median(seconds), 4), round(min(seconds), 4)
    for kind in ("median", "least"):
        found[f"ratio of the {kind}s"] = round(found[f"reelproc stage, {kind}"] / found[f"reference, {kind}"], 3)
    return found


def _stage_alone(frames: list[Frame], network: Any) -> float:
    """Run the upscaling stage without decoding and encoding; return the seconds outside of the network."""
    from reelproc.pixels.placement import Rectangle
    from reelproc.upscalers.base import Sample, UpscaleSpec
    from reelproc.upscalers.network_work import NetworkWork

    work = NetworkWork(UpscaleSpec(*CROP, *TARGET, Rectangle(0, 0, *TARGET), "yuv420p"), network)
    begin = time.perf_counter()
    for frame in frames:
        work([Sample(frame, Window(0, 0, *CROP))])
    seconds = time.perf_counter() - begin
    work.close()
    return seconds - work.network_seconds


if __name__ == "__main__":
    for file in (MODELS[MODEL].file, MODELS["realesr-animevideov3"].file):
        if weights.kept_file(file) is None and (ASSETS / "weights" / file).is_file():
            weights.add(ASSETS / "weights" / file)
    load_descriptor(MODELS[MODEL])
    main()
