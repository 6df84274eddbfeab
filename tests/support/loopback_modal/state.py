"""What the loopback knows: apps, functions, calls, inputs, containers."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modal_proto import api_pb2 as api

Status = api.GenericResult.GenericStatus


@dataclass
class App:
    """An app, deployed or not yet."""

    id: str
    name: str = ""
    function_ids: dict[str, str] = field(default_factory=dict)
    class_ids: dict[str, str] = field(default_factory=dict)


@dataclass
class Function:
    """A function, or a variant of one that options and parameters were bound to."""

    id: str
    app: App
    definition: api.Function = field(default_factory=api.Function)
    metadata: api.FunctionHandleMetadata = field(default_factory=api.FunctionHandleMetadata)
    serialized_params: bytes = b""

    def data(self) -> api.FunctionData:
        """The same as clients ask for it."""
        d = self.definition
        ranked = api.FunctionData.RankedFunction(rank=0, function=d)
        return api.FunctionData(
            module_name=d.module_name, function_name=d.function_name, function_type=d.function_type,
            timeout_secs=d.timeout_secs, is_class=d.is_class, ranked_functions=[ranked],
        )  # fmt: skip


@dataclass(eq=False)
class Input:
    """One input of a call, from its arrival to its last output."""

    id: str
    call: Call
    index: int
    content: api.FunctionInput
    attempts: int = 0
    failures: int = 0
    losses: int = 0
    container: Container | None = None
    cancelled: bool = False
    timed_out: bool = False
    waiting: bool = True
    output: api.FunctionGetOutputsItem | None = None

    def jwt(self) -> str:
        """A token that the client can read its index from."""
        return _jwt({"idx": self.index, "input_id": self.id})


@dataclass(eq=False)
class Call:
    """A function call: one input (remote, spawn) or many (map)."""

    id: str
    function: Function
    invocation: int
    parent_input: str
    inputs: list[Input] = field(default_factory=list)
    log: list[api.FunctionGetOutputsItem] = field(default_factory=list)
    chunks: list[api.DataChunk] = field(default_factory=list)

    def jwt(self) -> str:
        """A token that names the call."""
        return _jwt({"function_call_id": self.id})


@dataclass(eq=False)
class Container:
    """A process that runs inputs of one function."""

    id: str
    function: Function
    process: subprocess.Popen[bytes]
    folder: Path
    current: Input | None = None
    worked: bool = False
    cancels: list[str] = field(default_factory=list)
    server: Any = None


class State:
    """All of it, and word of every change. Belongs to one event loop."""

    def __init__(self) -> None:
        self.apps: dict[str, App] = {}
        self.functions: dict[str, Function] = {}
        self.classes: dict[str, str] = {}
        self.calls: dict[str, Call] = {}
        self.inputs: dict[str, Input] = {}
        self.containers: dict[str, Container] = {}
        self.mounts: dict[str, list[api.MountFile]] = {}
        self.files: dict[str, bytes] = {}
        self.blobs: dict[str, bytes] = {}
        self.images: dict[str, api.Image] = {}
        self.secrets: dict[str, dict[str, str]] = {}
        self.named_secrets: dict[str, dict[str, str]] = {}
        self.volumes: dict[str, str] = {}
        self.dicts: dict[str, dict[bytes, bytes]] = defaultdict(dict)
        self.queues: dict[str, list[bytes]] = defaultdict(list)
        self.bound: list[api.FunctionBindParamsRequest] = []
        self.rates: dict[str, str] = {}
        self._numbers: dict[str, int] = defaultdict(int)
        self._changed = asyncio.Event()

    def new_id(self, prefix: str) -> str:
        """``fc-1``, ``fc-2``, ..."""
        self._numbers[prefix] += 1
        return f"{prefix}-{self._numbers[prefix]}"

    def changed(self) -> None:
        """Wake all that wait."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, condition: Callable[[], Any], timeout: float) -> Any:
        """What ``condition`` gives, once that is true, or its last word after ``timeout`` seconds."""
        deadline = asyncio.get_running_loop().time() + timeout
        while not (value := condition()):
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                break
            try:
                await asyncio.wait_for(self._changed.wait(), left)
            except TimeoutError:
                continue
        return value


def _jwt(fields: dict[str, Any]) -> str:
    def part(data: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none'})}.{part(fields)}."


def jwt_fields(token: str) -> dict[str, Any]:
    """What :func:`_jwt` put in."""
    fields: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return fields
