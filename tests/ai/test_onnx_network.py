"""Graphs that are made without torch, exports of other networks, and files of other programs."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from reelproc.errors import BackendError, MissingDependencyError
from reelproc.pixels.frame import Window
from reelproc.pixels.placement import Rectangle
from reelproc.testing.pictures import noise
from reelproc.upscalers import checkpoint, find, networks
from reelproc.upscalers.base import Sample, UpscaleOptions, UpscaleSpec
from reelproc.upscalers.checkpoint import read_tensors
from reelproc.upscalers.host_picture import rgb_of
from reelproc.upscalers.models import MODELS, Model
from reelproc.upscalers.onnx_export import export
from reelproc.upscalers.onnx_network import BACKEND
from reelproc.upscalers.onnx_source import bare_model, onnx_model
from reelproc.upscalers.torch_network import BACKEND as TORCH
from reelproc.upscalers.weights import kept_file, weights_sha256

CPU = UpscaleOptions(backend="cpu")
SPEC = UpscaleSpec(38, 26, 76, 52, Rectangle(0, 0, 76, 52), "yuv420p")

WITHOUT_TORCH = """
import importlib.machinery, sys
found = importlib.machinery.PathFinder.find_spec
absent = ("torch", "torchvision", "spandrel", "safetensors")
importlib.machinery.PathFinder.find_spec = lambda name, path=None, target=None: (
    None if name.partition(".")[0] in absent else found(name, path, target))
"""


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_TORCH + code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False, env=dict(os.environ))


def test_a_network_that_is_named_runs_where_torch_is_not_installed(footage: Path, tmp_path: Path) -> None:
    code = """
import reelproc as rp
from reelproc.job_context import JobContext
from reelproc.jobs import run_job
crop = rp.Crop(keyframes=[rp.CropKeyframe(time=0, x=300, y=96, width=48, height=36)])
for number, stage in enumerate((rp.Upscale(model="realesr-general-x4v3"), rp.Upscale(denoise_strength=0.5))):
    reel = rp.Reel(clips=[rp.Clip(source=sys.argv[1], start=0, end=0.2, stages=[crop, stage])],
                   output=rp.Output(width=96, height=72, audio=False))
    result = run_job(rp.RenderJob(reel=reel, output=f"{sys.argv[2]}/{number}.mp4"), JobContext())
    print(result.frame_count, *[note for note in result.notes if "torch" in note])
print("torch" in sys.modules)
"""
    done = run(code, str(footage / "vtest.avi"), str(tmp_path))
    said = "6 realesr-general-x4v3 was run by the backend 'onnx', since torch is not installed here"
    assert done.stdout.splitlines() == [said, said, "False"], done.stderr


def test_which_backend_runs_it_is_part_of_the_name_of_what_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    by_torch = find("realesr-general-x4v3").fingerprint()
    assert by_torch == weights_sha256("realesr-general-x4v3.pth")
    monkeypatch.setattr(networks, "_is_installed", lambda backend: backend == "onnx")
    by_onnx = find("realesr-general-x4v3")
    assert by_onnx.fingerprint() == f"{by_torch} onnx"
    monkeypatch.setattr(networks, "_is_installed", lambda _: False)
    with pytest.raises(MissingDependencyError, match=r"reelproc\[onnx\]'.*'reelproc\[ai\]'"):
        find("realesr-general-x4v3").open(SPEC)


@pytest.mark.parametrize("kind", ["half", "bfloat16", "old", "strided", "safetensors", "bfloat16 safetensors"])
def test_tensors_are_read_as_torch_reads_them(tmp_path: Path, kind: str) -> None:
    tensors = {"a": torch.randn(3, 5), "b": torch.randn(7), "c": torch.tensor(2.5)}
    if kind.startswith("bfloat16"):
        tensors = {name: tensor.bfloat16() for name, tensor in tensors.items()}
    path = tmp_path / "mine.pth"
    if kind.endswith("safetensors"):
        from safetensors.torch import save_file

        path = tmp_path / "mine.safetensors"
        save_file(tensors, path)
    elif kind == "old":
        torch.save(tensors, path, _use_new_zipfile_serialization=False)
        with pytest.raises(BackendError, match=r"torch before 1.6"):
            read_tensors(path)
        return
    else:
        if kind == "half":
            tensors = {name: tensor.half() for name, tensor in tensors.items()}
        if kind == "strided":
            tensors["a"] = torch.randn(5, 9)[:, 2:5].T
            tensors["p"] = torch.nn.Parameter(torch.randn(2, 2))
        torch.save({"params": tensors}, path)
    read = read_tensors(path)
    assert read.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert np.array_equal(read[name], tensor.detach().float().numpy())


class Evil:
    def __reduce__(self):  # type: ignore[no-untyped-def]
        return (Path.touch, (Path("owned"),))


def test_a_pickle_that_is_a_program_is_not_run_without_torch_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"params": Evil()}, "evil.pth")
    with pytest.raises(BackendError, match=r"does not hold tensors alone.*it asks for"):
        read_tensors(Path("evil.pth"))
    assert not Path("owned").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"x" * 500])
def test_damaged_checkpoints_are_told_without_torch_too(tmp_path: Path, content: bytes) -> None:
    for suffix in (*checkpoint.PICKLED, ".safetensors"):
        path = tmp_path / f"mine{suffix}"
        path.write_bytes(content)
        with pytest.raises(BackendError, match=r"tensors alone, or is damaged|no network's weights"):
            read_tensors(path)


def test_a_tensor_must_lie_within_its_file(tmp_path: Path) -> None:
    """A view beyond its storage would show other memory of the process."""
    storage = np.zeros(6, np.float32)
    assert checkpoint._rebuilt(storage, 1, (2, 2), (2, 1)).shape == (2, 2)
    for offset, size, stride in ((3, (2, 2), (2, 1)), (-1, (2,), (1,)), (0, (2,), (-1,)), (0, (7,), (1,))):
        with pytest.raises(Exception, match="beyond"):
            checkpoint._rebuilt(storage, offset, size, stride)


def test_networks_of_other_kinds_say_what_runs_them(tmp_path: Path) -> None:
    path = tmp_path / "span.pth"
    from spandrel.architectures.SPAN import SPAN

    torch.save(SPAN(num_in_ch=3, num_out_ch=3, feature_channels=16, upscale=2).state_dict(), path)
    with pytest.raises(BackendError, match=r"no network that runs without torch.*models export"):
        find(str(path), UpscaleOptions(backend="onnx:cpu")).open(SPEC)


def test_an_export_of_swinir_takes_pictures_of_any_size(tmp_path: Path) -> None:
    """It fills them up to windows of 8 inside itself; the exporter writes that down for one size only."""
    from spandrel.architectures.SwinIR import SwinIR

    torch.manual_seed(0)
    made = {"img_size": 16, "window_size": 8, "mlp_ratio": 2, "upscale": 2, "upsampler": "pixelshuffle"}
    path = tmp_path / "swinir.pth"
    model = Model(str(path), "", str(path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, of a function of torch
        torch.save({"params": SwinIR(depths=[2], embed_dim=12, num_heads=[2], **made).state_dict()}, path)
        export(model)
    network = BACKEND.load(model, CPU)
    assert network.needs.multiple_of == 8
    for size in ((38, 26), (17, 43)):
        rgb = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), np.uint8)
        picture = torch.from_numpy(rgb.transpose(2, 0, 1)[None].copy()).float() / 255
        with torch.inference_mode():
            wanted = TORCH.load(model, CPU).enlarge_rgb(picture)[0].permute(1, 2, 0).numpy() * 255
        assert np.abs(network.enlarge_fitting(rgb) - wanted).max() <= 1
    kept_file("swinir.onnx").path.unlink()  # type: ignore[union-attr]


def foreign(path: Path, *, kind: int = TensorProto.FLOAT, last: bool = False, side: int | str = "side") -> Path:
    """An .onnx as another program would write it: pixels folded in squares of two, doubled, and unfolded."""
    shape = ["n", side, side, 3] if last else ["n", 3, side, side]
    nodes, x = [], "in"
    if last:
        nodes.append(helper.make_node("Transpose", [x], ["t"], perm=[0, 3, 1, 2]))
        x = "t"
    nodes += [
        helper.make_node("SpaceToDepth", [x], ["folded"], blocksize=2),
        helper.make_node("DepthToSpace", ["folded"], ["same"], blocksize=2),
        helper.make_node("Resize", ["same", "", "twice"], ["made" if last else "out"], mode="nearest"),
    ]
    if last:
        nodes.append(helper.make_node("Transpose", ["made"], ["out"], perm=[0, 2, 3, 1]))
    twice = helper.make_tensor("twice", TensorProto.FLOAT, [4], [1, 1, 2, 2])
    takes = helper.make_tensor_value_info("in", kind, shape)
    gives = helper.make_tensor_value_info("out", kind, [None] * 4)
    graph = helper.make_graph(nodes, "foreign", [takes], [gives], [twice])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.FLOAT16])
@pytest.mark.parametrize("last", [False, True])
def test_a_file_of_another_program_is_tried_out(tmp_path: Path, kind: int, last: bool) -> None:
    path = foreign(tmp_path / "foreign.ONNX", kind=kind, last=last)
    network = BACKEND.load(Model(str(path), "", str(path)), CPU)
    assert (network.scale, network.needs.multiple_of) == (2, 2)
    rgb = rgb_of(noise(39, 27))
    assert np.array_equal(network.enlarge_fitting(rgb), rgb.repeat(2, 0).repeat(2, 1))
    (made,) = find(str(path)).open(SPEC)([Sample(noise(39, 27), Window(0, 0, 38, 26))])
    assert (made.width, made.height) == (76, 52)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ({"side": 64}, r"a fixed size of \[64, 64\].*dynamic axes"),
        ({"kind": TensorProto.INT32}, r"of float32 or float16.*got INT32"),
    ],
)
def test_a_file_that_cannot_be_used_says_what_it_has_to_be(tmp_path: Path, made: dict[str, int], message: str) -> None:
    path = foreign(tmp_path / "foreign.onnx", **made)
    with pytest.raises(BackendError, match=message):
        bare_model(onnx.load(path), path)


def test_a_file_that_is_no_graph_is_told(tmp_path: Path) -> None:
    path = tmp_path / "not.onnx"
    path.write_bytes(b"not a graph")
    with pytest.raises(BackendError, match="cannot be loaded by ONNX Runtime"):
        find(str(path)).open(SPEC)
    with pytest.raises(BackendError, match="is not an ONNX file"):
        onnx_model(path)


def test_an_export_that_does_not_say_what_sizes_it_takes_is_to_be_made_again(tmp_path: Path) -> None:
    path = foreign(tmp_path / "old.onnx")
    graph = onnx.load(path)
    entry = graph.metadata_props.add()
    entry.key, entry.value = "reelproc", '{"scale": 2, "flop_per_pixel": 1, "overlap": 2}'
    onnx.save(graph, path)
    with pytest.raises(BackendError, match=r"an earlier reelproc.*export it again"):
        find(str(path)).open(SPEC)


def test_what_onnxruntime_raises_is_a_backend_error() -> None:
    network = BACKEND.load(MODELS["realesr-animevideov3"], CPU)
    with pytest.raises(BackendError, match=r"failed on an input of 1x8x3"):
        network.enlarge(np.zeros((8, 3), np.uint8))
