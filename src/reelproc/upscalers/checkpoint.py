"""Checkpoints as dictionaries of tensors: which names they hide their weights under, and reading them without torch.

A ``.pth`` is a zip of a pickle and of the tensors' bytes. The pickle is read by an unpickler that knows five names and
no others, so that nothing in a file can run.
"""

from __future__ import annotations

import collections
import json
import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from reelproc.errors import BackendError

Tensors = dict[str, NDArray[np.float32]]

PICKLED = (".pth", ".pt", ".ckpt")
"""Suffixes of the files that torch writes."""

_KEYS = (
    *("params_ema", "params-ema", "params", "state_dict", "model_state_dict", "model"),
    *("net", "net_g", "netG", "generator", "g_ema"),
)
"""Under which training programs put the weights of the network that makes the pictures; averaged ones first."""

_PREFIXES = ("module.", "netG.", "net_g.", "generator.", "_orig_mod.")
"""What wrappers put before all names."""

MAX_WRAPPERS = 4
"""Dictionaries around dictionaries; a pickle can hold one that holds itself."""

T = TypeVar("T")


def unwrapped(data: object, kind: type[T], path: Path) -> dict[str, T]:
    """Return the network's tensors by name.

    Args:
        data: what the checkpoint holds: the tensors themselves, or dictionaries around them.
        kind: of a tensor.
        path: of the file, for the message.

    Raises:
        BackendError: there are none in it.
    """
    for _ in range(MAX_WRAPPERS):
        if not isinstance(data, Mapping):
            break
        inner = next((data[key] for key in _KEYS if isinstance(data.get(key), Mapping)), None)
        if inner is None and len(data) == 1 and isinstance(only := next(iter(data.values())), Mapping):
            inner = only
        if inner is None:
            break
        data = inner
    if not isinstance(data, Mapping) or not data or not all(isinstance(t, kind) for t in data.values()):
        named = ", ".join(sorted(map(str, data))[:6]) if isinstance(data, Mapping) else type(data).__name__
        raise BackendError(
            f"{path} holds no network's weights: expected tensors by name, by themselves or under one of "
            f"{', '.join(_KEYS)}, got {named or 'nothing'}"
        )
    tensors = {str(name): tensor for name, tensor in data.items()}
    for prefix in _PREFIXES:
        if all(name.startswith(prefix) for name in tensors):
            tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    return tensors


def not_tensors(path: Path, reason: str) -> BackendError:
    """Return the error for a file that holds other things than tensors, or is damaged."""
    return BackendError(
        f"{path} does not hold tensors alone, or is damaged ({reason}). Nothing in it was run; save the network's "
        "state_dict() alone, as .pth or .safetensors"
    )


def read_tensors(path: Path) -> Tensors:
    """Read a checkpoint without torch, as float32.

    Args:
        path: a ``.pth``, ``.pt`` or ``.ckpt`` as torch 1.6 and later write it, or a ``.safetensors``.

    Raises:
        BackendError: it holds other things than tensors, is damaged, or is of another kind.
    """
    read = _read_safetensors if path.suffix.lower() == ".safetensors" else _read_zip
    try:
        data = read(path)
    except BackendError:
        raise
    except Exception as error:  # zip, pickle and JSON raise all kinds on a file that is none of theirs
        raise not_tensors(path, f"{type(error).__name__}: {error}".splitlines()[0][:200]) from error
    tensors: dict[str, NDArray[Any]] = unwrapped(data, np.ndarray, path)
    return {name: np.array(tensor, np.float32, order="C") for name, tensor in tensors.items()}


def _read_zip(path: Path) -> object:
    if not zipfile.is_zipfile(path):
        raise not_tensors(path, "not a zip; torch before 1.6 wrote others, which only the backend 'torch' reads")
    with zipfile.ZipFile(path) as archive:
        (program,) = (name for name in archive.namelist() if name.rpartition("/")[2] == "data.pkl")
        folder = program.removesuffix("data.pkl")
        order = f"{folder}byteorder"
        if order in archive.namelist() and archive.read(order) != b"little":
            raise not_tensors(path, "written on a big-endian machine")
        with archive.open(program) as file:
            return _Unpickler(file, lambda key: archive.read(f"{folder}data/{key}")).load()


def _bfloat16(data: bytes) -> NDArray[np.float32]:
    return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)


def _as(dtype: str) -> Callable[[bytes], NDArray[Any]]:
    return lambda data: np.frombuffer(data, dtype)


_STORAGES: dict[str, Callable[[bytes], NDArray[Any]]] = {
    "FloatStorage": _as("<f4"),
    "HalfStorage": _as("<f2"),
    "DoubleStorage": _as("<f8"),
    "BFloat16Storage": _bfloat16,
    "LongStorage": _as("<i8"),
    "IntStorage": _as("<i4"),
}
_SAFETENSORS = {"F32": _as("<f4"), "F16": _as("<f2"), "F64": _as("<f8"), "BF16": _bfloat16, "I64": _as("<i8")}


class _Unpickler(pickle.Unpickler):
    """Makes dictionaries and arrays, and refuses every other name."""

    def __init__(self, file: Any, read: Callable[[str], bytes]) -> None:
        super().__init__(file)
        self._read = read
        self._storages: dict[str, NDArray[Any]] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuilt
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda tensor, *_: tensor
        if module == "torch" and name in _STORAGES:
            return name
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")

    def persistent_load(self, pid: Any) -> NDArray[Any]:
        kind, storage, key = pid[:3]
        if kind != "storage" or storage not in _STORAGES:
            raise pickle.UnpicklingError(f"it asks for {pid[:2]}")
        if key not in self._storages:
            self._storages[key] = _STORAGES[storage](self._read(key))
        return self._storages[key]


def _rebuilt(
    storage: NDArray[Any], offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> NDArray[Any]:
    """Return a tensor's view of its storage, which must hold all of it."""
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if min((offset, *size, *stride), default=0) < 0 or (0 not in size and last >= storage.size):
        raise pickle.UnpicklingError(f"a tensor of {size} reaches beyond its {storage.size} numbers")
    strides = [step * storage.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(storage[offset:], size, strides, writeable=False)


def _read_safetensors(path: Path) -> object:
    """See https://github.com/huggingface/safetensors: a length, JSON, bytes."""
    data = path.read_bytes()
    begin = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:begin])
    header.pop("__metadata__", None)
    made = {}
    for name, entry in header.items():
        first, end = entry["data_offsets"]
        made[name] = _SAFETENSORS[entry["dtype"]](data[begin + first : begin + end]).reshape(entry["shape"])
    return made
