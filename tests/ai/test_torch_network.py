"""Memory, weights and devices of the torch backend, and what it says when something is wrong."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ai.networks import deep_network
from torch import Tensor

from reelproc.errors import BackendError, MissingDependencyError, OutOfMemoryError, SpecError
from reelproc.pixels.frame import Frame, Window
from reelproc.pixels.placement import Rectangle
from reelproc.testing.pictures import Scene, texture
from reelproc.upscalers import find, torch_network, weights
from reelproc.upscalers.base import Sample, UpscaleOptions, UpscaleSpec
from reelproc.upscalers.checkpoint import unwrapped
from reelproc.upscalers.host_picture import rgb_floats
from reelproc.upscalers.models import MODELS, Model
from reelproc.upscalers.network_work import NetworkWork, not_finite
from reelproc.upscalers.onnx_export import export
from reelproc.upscalers.realesrgan_reference import _absence, import_realesrgan
from reelproc.upscalers.tiling import MIN_TILE
from reelproc.upscalers.torch_checkpoint import load_descriptor
from reelproc.upscalers.torch_network import BACKEND, TorchNetwork
from reelproc.upscalers.torch_picture import Resizer, from_rgb, to_rgb
from waiting import LONG

SPEC = UpscaleSpec(160, 96, 240, 144, Rectangle(0, 0, 240, 144), "yuv420p")


def general(tile: int | None = None) -> TorchNetwork:
    return TorchNetwork(load_descriptor(MODELS["realesr-animevideov3"]), torch.device("cpu"), torch.float32, tile)


def sample() -> Sample:
    luma = Scene(texture, lambda x, y: 128 + 0 * x, lambda x, y: 128 + 0 * x)
    return Sample(luma.frame(160, 96), Window(0, 0, 160, 96))


class Greedy:
    """A descriptor that runs out of memory at pictures above so many pixels."""

    def __init__(self, descriptor: Any, limit: int, error: type[Exception] = RuntimeError) -> None:
        self.descriptor, self.limit, self.error = descriptor, limit, error
        self.sides: list[tuple[int, int]] = []

    def __call__(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        self.sides.append((width, height))
        if width * height > self.limit:
            raise self.error("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99999999999 bytes")
        return self.descriptor(x)


def test_it_halves_the_tile_until_it_fits_and_stays_there() -> None:
    (wanted,) = NetworkWork(SPEC, general())([sample()])
    network = general()
    greedy = network.descriptor = Greedy(network.descriptor, 100 * 96)
    work = NetworkWork(SPEC, network)
    (made,) = work([sample()])
    assert network.tile == 80
    assert greedy.sides[0] == (160, 96)
    assert np.abs(made.data.astype(int) - wanted.data).max() <= 1
    greedy.sides.clear()
    work([sample()])
    assert (160, 96) not in greedy.sides
    work.close()


def test_a_batch_is_given_up_before_a_picture_is_cut() -> None:
    network = general()
    network.batch_size = 2
    greedy = network.descriptor = Greedy(network.descriptor, 160 * 96)
    inner, greedy.limit = greedy.descriptor, 10**9
    refused = []

    def two_are_too_many(x: Tensor) -> Tensor:
        if len(x) > 1:
            refused.append(len(x))
            raise torch.OutOfMemoryError("CUDA out of memory")
        return inner(x)

    network.descriptor = two_are_too_many
    made = NetworkWork(SPEC, network)([sample(), sample()])
    assert refused == [2]
    assert (len(made), network.batch_size, network.tile) == (2, 1, None)


def test_what_does_not_fit_in_the_smallest_tiles_is_an_error_with_figures() -> None:
    network = general()
    network.descriptor = Greedy(network.descriptor, 10)
    with pytest.raises(OutOfMemoryError, match=f"160x96 picture.*tiles of {MIN_TILE} pixels.*can't allocate memory"):
        NetworkWork(SPEC, network)([sample()])


def test_other_failures_are_not_taken_for_lack_of_memory() -> None:
    network = general()

    def broken(x: Tensor) -> Tensor:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    network.descriptor = broken
    with pytest.raises(BackendError, match="illegal memory access"):
        NetworkWork(SPEC, network)([sample()])


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_of_your_own_is_a_model(tmp_path: Path, suffix: str) -> None:
    path = deep_network(tmp_path / "mine.pth", 2, blocks=1)
    if suffix == ".safetensors":
        from safetensors.torch import save_file

        tensors = torch.load(path, weights_only=True)["params_ema"]
        path = tmp_path / "mine.safetensors"
        save_file(tensors, path)
    upscaler = find(str(path), UpscaleOptions(backend="torch:cpu"))
    assert upscaler.flop(SPEC) > 0
    assert len(upscaler.fingerprint()) == 64
    assert upscaler.remarks() == ()
    (made,) = upscaler.open(SPEC)([sample()])
    assert (made.width, made.height) == (240, 144)


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("owned"),))


def test_a_pickle_that_is_a_program_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"params": Evil()}, "zipped.pth")
    Path("plain.pth").write_bytes(pickle.dumps(Evil()))
    for name in ("zipped.pth", "plain.pth"):
        with pytest.raises(BackendError, match="does not hold tensors alone"):
            BACKEND.load(Model(name, "", name), UpscaleOptions(backend="cpu"))
    assert not Path("owned").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"params": {"what.weight": torch.zeros(3)}}, "no network that spandrel knows"),
        ({"params": {}}, "no network's weights"),
        ([1, 2], "no network's weights"),
    ],
)
def test_files_of_something_else_are_refused(tmp_path: Path, content: object, message: str) -> None:
    path = tmp_path / "odd.pth"
    torch.save(content, path)
    with pytest.raises(BackendError, match=message):
        BACKEND.load(Model("odd", "", str(path)), UpscaleOptions(backend="cpu"))


def test_missing_weights_say_what_to_do() -> None:
    with pytest.raises(
        BackendError, match=r"(?s)RealESRGAN_x4plus.pth are not on this machine.*download https://.*put it"
    ):
        find("RealESRGAN_x4plus").open(SPEC)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (UpscaleOptions(backend="torch:warp"), "no device 'warp'"),
        (
            UpscaleOptions(backend="torch:cuda:99"),
            r"cannot use the device 'cuda:99' on this machine; here are .*torch:cpu",
        ),
        (UpscaleOptions(backend="torch:cpu", precision="fp16"), "fp16 is slower than fp32 on a CPU"),
        (UpscaleOptions(backend="onnx:warp"), "no provider 'warp'"),
        (UpscaleOptions(backend="onnx:tensorrt"), "no TensorrtExecutionProvider; here are .*onnx:cpu"),
        (UpscaleOptions(backend="realesrgan:cpu", precision="bf16"), "fp32 or fp16"),
    ],
)
def test_what_is_not_here_is_an_error_that_says_what_is(options: UpscaleOptions, message: str) -> None:
    with pytest.raises(BackendError, match=message):
        find("realesr-general-x4v3", options).open(SPEC)


def test_bfloat16_is_only_for_processors_that_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = UpscaleOptions(backend="torch:cpu", precision="bf16")
    monkeypatch.setattr(torch_network, "has_bfloat16", lambda: False)
    with pytest.raises(BackendError, match=r"'bf16' is ten times slower.*AVX512-BF16.*leave precision out"):
        find("realesr-general-x4v3", asked).open(SPEC)
    monkeypatch.setattr(torch_network, "has_bfloat16", lambda: True)
    find("realesr-general-x4v3", asked).open(SPEC).close()


def spoilt(path: Path, value: float) -> Path:
    """The animation network with one weight of its last layer changed."""
    tensors = torch.load(animation(), weights_only=True)["params"]
    name = max((n for n in tensors if n.endswith("weight")), key=lambda n: int(n.split(".")[1]))
    tensors[name][0, 0, 1, 1] = value
    torch.save({"params": tensors}, path)
    return path


def animation() -> Path:
    return weights.checked_weights("realesr-animevideov3.pth")


@pytest.mark.parametrize("backend", ["torch:cpu", "onnx:cpu"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(tmp_path: Path, backend: str, value: float) -> None:
    path = spoilt(tmp_path / "spoilt.pth", value)
    with pytest.raises(BackendError, match=r"weights 'body.34.weight' hold NaN or infinity.*another checkpoint"):
        find(str(path), UpscaleOptions(backend=backend)).open(SPEC)


def test_what_becomes_nan_on_the_way_is_seen(tmp_path: Path) -> None:
    """Weights of 1e30 are finite, what they make of each other is not; the same overflow as fp16's, named there."""
    path = spoilt(tmp_path / "huge.pth", 0.5)
    tensors = torch.load(path, weights_only=True)["params"]
    huge = {name: tensor * 1e30 if tensor.ndim == 4 else tensor for name, tensor in tensors.items()}
    torch.save({"params": huge}, path)
    for backend in ("torch:cpu", "onnx:cpu"):
        with pytest.raises(BackendError, match=r"made NaN of a picture of 160x96.*use another checkpoint"):
            find(str(path), UpscaleOptions(backend=backend)).open(SPEC)([sample()])
    assert "use precision='fp32'" in not_finite("cuda", (8, 8), overflows=True)


def test_sums_go_with_the_pictures_of_a_batch() -> None:
    network = general()
    network.batch_size = 1
    inner, calls = network.descriptor, []

    def second_is_nan(x: Tensor) -> Tensor:
        calls.append(len(x))
        return inner(x) * (float("nan") if len(calls) == 2 else 1)

    network.descriptor = second_is_nan
    with pytest.raises(BackendError, match="made NaN"):
        NetworkWork(SPEC, network)([sample(), sample(), sample()])
    assert calls == [1, 1, 1]


@pytest.mark.parametrize("wrapped", ["params-ema", "net", "net_g", "generator", "only"])
@pytest.mark.parametrize("backend", ["torch:cpu", "onnx:cpu"])
def test_weights_are_found_where_training_programs_put_them(tmp_path: Path, wrapped: str, backend: str) -> None:
    tensors = torch.load(animation(), weights_only=True)["params"]
    inner = {f"module.{name}": tensor for name, tensor in tensors.items()}
    content = {wrapped: inner} if wrapped == "only" else {wrapped: inner, "epoch": 7}
    path = tmp_path / "mine.CKPT"
    torch.save(content, path)
    work = find(str(path), UpscaleOptions(backend=backend)).open(SPEC)
    assert work([sample()])[0].width == 240


def test_a_checkpoint_that_holds_itself_ends(tmp_path: Path) -> None:
    ring: dict[str, Any] = {}
    ring["params"] = ring
    with pytest.raises(BackendError, match="no network's weights"):
        unwrapped(ring, Tensor, tmp_path)


@pytest.mark.parametrize("suffix", [".pt", ".ckpt", ".PTH"])
def test_other_endings_of_the_same_kind_of_file_are_known(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mine{suffix}"
    path.write_bytes(animation().read_bytes())
    assert find(str(path), UpscaleOptions(backend="torch:cpu")).open(SPEC)([sample()])[0].width == 240


def test_a_file_of_another_ending_is_told_the_right_ones(tmp_path: Path) -> None:
    path = tmp_path / "mine.bin"
    path.write_bytes(b"x")
    with pytest.raises(SpecError, match=r"one of .pth, .pt, .ckpt, .safetensors, .onnx, got '.*mine.bin'"):
        find(str(path))


def test_faults_of_shape_and_of_content_are_told_in_few_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = deep_network(tmp_path / "narrow.pth", 4, blocks=1)
    tensors = torch.load(path, weights_only=True)["params_ema"]
    tensors["body.0.rdb1.conv1.weight"] = torch.zeros(16, 64, 3, 3)
    tensors["body.0.rdb1.conv2.weight"] = torch.zeros(16, 80, 3, 3)
    torch.save({"params_ema": tensors}, path)
    with pytest.raises(BackendError, match=r"2 tensors have other shapes .*first being: size mismatch") as caught:
        load_descriptor(Model("narrow", "", str(path)))
    assert len(str(caught.value)) < 600
    monkeypatch.chdir(tmp_path)
    torch.save({"params": Evil()}, "evil.pth")
    with pytest.raises(BackendError, match=r"damaged .it asks for") as caught:
        load_descriptor(Model("evil", "", "evil.pth"))
    assert "weights_only" not in str(caught.value)


def test_what_the_libraries_around_a_network_raise_is_a_backend_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = deep_network(tmp_path / "deep.pth", 4, blocks=1)

    def divided(*_: object, **__: object) -> None:
        raise ZeroDivisionError("integer modulo by zero")

    with monkeypatch.context() as patch:
        patch.setattr("spandrel.ModelLoader.load_from_state_dict", divided)
        with pytest.raises(BackendError, match="ZeroDivisionError: integer modulo by zero"):
            load_descriptor(Model("deep", "", str(path)))
    with monkeypatch.context() as patch:
        patch.setattr("torch.utils.flop_counter.FlopCounterMode.get_total_flops", divided)
        descriptor = load_descriptor(Model("deep", "", str(path)))
        descriptor._call_fn = divided
        with pytest.raises(BackendError, match=r"\(ESRGAN\) does not run on a picture of 64x64: ZeroDivisionError"):
            TorchNetwork(descriptor, torch.device("cpu"), torch.float32)
    with monkeypatch.context() as patch:
        patch.setattr("torch.onnx.export", divided)
        with pytest.raises(BackendError, match=r"cannot export .*ZeroDivisionError.*backend='torch'"):
            export(Model(str(path), "", str(path)))


def test_attention_as_in_atd_is_counted_without_gradients(tmp_path: Path) -> None:
    """The counter follows gradients through modules, where a network's own function has none."""
    descriptor = load_descriptor(Model("deep", "", str(deep_network(tmp_path / "deep.pth", 4, blocks=1))))
    assert not any(parameter.requires_grad for parameter in descriptor.model.parameters())
    assert not descriptor.model.training


def test_a_network_stays_loaded() -> None:
    options = UpscaleOptions(backend="cpu")
    one = BACKEND.load(MODELS["realesr-animevideov3"], options)
    assert BACKEND.load(MODELS["realesr-animevideov3"], options) is one
    # what a CPU takes of itself and what is asked of it are one network in memory, not two
    asked = UpscaleOptions(backend="cpu", precision="fp32")
    assert BACKEND.load(MODELS["realesr-animevideov3"], asked) is one


FAULTS = """
import sys, threading
from reelproc.machine.malloc import use_one_arena
if sys.argv[1] == "worker":
    use_one_arena()
for _ in range(3):  # each leaves an arena behind, if there is more than one, for the network's thread to take
    thread = threading.Thread(target=lambda: bytearray(100_000))
    thread.start()
    thread.join()
import os, resource, numpy as np
from reelproc.pixels.frame import Frame, Window
from reelproc.pixels.placement import Rectangle
from reelproc.upscalers import find
from reelproc.upscalers.base import Sample, UpscaleOptions, UpscaleSpec

wide, high = 540, 320  # each layer's output is 44 MB, more than glibc would keep of itself
work = find("realesr-general-x4v3", UpscaleOptions(backend="torch:cpu")).open(
    UpscaleSpec(wide, high, 2 * wide, 2 * high, Rectangle(0, 0, 2 * wide, 2 * high), "rgb24"))
picture = Frame(np.zeros(wide * high * 3, np.uint8), wide, high, "rgb24")
memory = lambda: int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
for _ in range(3):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    work([Sample(picture, Window(0, 0, wide, high))])
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
busy = memory()
work.close()
print(faults, busy - memory())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc")
@pytest.mark.parametrize("chosen", [False, True])
def test_a_worker_keeps_the_memory_of_a_network_while_pictures_come(chosen: bool) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_"))}
    if chosen:  # whoever has chosen is not overruled
        environment["MALLOC_ARENA_MAX"] = "4"
    command = [sys.executable, "-c", FAULTS, "worker"]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=LONG)
    faults, given_back = map(int, done.stdout.split())
    if chosen:
        assert faults > 100_000
    else:
        assert faults < 50_000
        assert given_back > 50e6


def test_the_figures_of_the_catalogue_are_those_of_the_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reelproc.upscalers import weights

    for model in MODELS.values():
        if model.name.startswith("RealESRGAN"):
            monkeypatch.setenv("REELPROC_WEIGHTS", str(tmp_path / "kept"))
            weights.add(deep_network(tmp_path / model.file, model.scale or 4))
        network = BACKEND.load(model, UpscaleOptions(backend="cpu"))
        assert network.scale == model.scale
        assert network.flop_per_pixel == pytest.approx(model.flop_per_pixel, rel=1e-6)
        monkeypatch.undo()


def test_the_alias_lasts_no_longer_than_the_import() -> None:
    assert import_realesrgan().RealESRGANer
    assert "torchvision.transforms.functional_tensor" not in sys.modules


def test_pythons_that_cannot_build_the_reference_are_told_so() -> None:
    assert "cannot be built on Python 3.13" in _absence(ImportError("no basicsr"), (3, 13))
    assert "pip install" in _absence(ImportError("no basicsr"), (3, 12))
    assert issubclass(MissingDependencyError, ImportError)


def test_options_for_other_models_are_refused() -> None:
    with pytest.raises(SpecError, match="has no denoise_strength; realesr-general-x4v3 has"):
        find("realesr-animevideov3", UpscaleOptions(denoise_strength=0.5))


def test_an_exported_network_runs_without_torch(exported: Path) -> None:
    code = (
        "import sys, numpy as np\n"
        "from reelproc.upscalers import find\n"
        "from reelproc.upscalers.base import *\n"
        "from reelproc.pixels.frame import Frame, Window\n"
        "from reelproc.pixels.placement import Rectangle\n"
        "frame = Frame.empty(32, 32, 'yuv420p'); frame.data[:] = 128\n"
        "spec = UpscaleSpec(32, 32, 48, 48, Rectangle(0, 0, 48, 48), 'yuv420p')\n"
        "work = find('realesr-general-x4v3', UpscaleOptions(backend='onnx:cpu')).open(spec)\n"
        "print(work([Sample(frame, Window(0, 0, 32, 32))])[0])\n"
        "print([name for name in ('torch', 'spandrel', 'onnx') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=LONG, check=False)
    assert "48x48 yuv420p)\n[]" in shown.stdout, shown.stderr


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p", "rgb24", "bgr24"])
@pytest.mark.parametrize(
    ("picture", "window", "size"),
    [
        ((240, 400), Window(0, 0, 240, 400), (90, 150)),
        ((240, 400), Window(20.5, 8.25, 200, 300), (161, 241)),
        ((160, 120), Window(0, 0, 160, 120), (160, 120)),
    ],
)
def test_a_cpu_shows_what_another_device_would(picture, window, size, pix_fmt) -> None:
    width, height = picture
    large = torch.nn.functional.interpolate(torch.rand(2, 3, height // 5, width // 5), size=(height, width))
    spec = UpscaleSpec(width, height, *size, Rectangle(0, 0, *size), pix_fmt)
    on_device = from_rgb(large, window, spec, Resizer(torch.device("cpu"), group=4)).int()
    here = torch_network._shown(large, [window, window], spec).int()
    assert (on_device - here).abs().max() <= 1


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p", "rgb24", "bgr24"])
@pytest.mark.parametrize("size", [(80, 60), (33, 17), (2, 2)])
def test_a_network_sees_the_same_on_a_cpu_and_elsewhere(size, pix_fmt) -> None:
    frame = Frame.empty(*size, pix_fmt)
    frame.data[:] = np.random.default_rng(1).integers(16, 236, frame.data.size, dtype=np.uint8)
    there = to_rgb(torch.from_numpy(frame.data[None]), pix_fmt, *size, Resizer(torch.device("cpu"), group=4))
    here = torch.from_numpy(rgb_floats(frame)).permute(2, 0, 1)[None]
    # weights of rows and columns are rounded to 12 and 14 bits, samples between them to an eighth of a level
    assert (there - here).abs().max() <= 0.25 / 255
