"""The loopback itself: a gRPC server and a thread to run it, and what tests may do to it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import web
from google.protobuf.message_factory import GetMessageClass
from grpclib import GRPCError
from grpclib.const import Cardinality, Handler
from grpclib.const import Status as Code
from grpclib.server import Server, Stream
from modal_proto import api_pb2 as api

from loopback_modal.calling import Calling
from loopback_modal.keeping import Keeping
from loopback_modal.state import Container, Input, State

T = TypeVar("T")


class _Service:
    """All RPCs as one caller sees them: a client (None), or one container."""

    def __init__(self, loopback: LoopbackModal, caller: Container | None) -> None:
        self.loopback = loopback
        self.caller = caller

    def __mapping__(self) -> dict[str, Handler]:
        methods = api.DESCRIPTOR.services_by_name["ModalClient"].methods
        return {
            f"/modal.client.ModalClient/{m.name}": Handler(
                self._handler(m.name),
                Cardinality.UNARY_STREAM if m.server_streaming else Cardinality.UNARY_UNARY,
                GetMessageClass(m.input_type),
                GetMessageClass(m.output_type),
            )
            for m in methods
        }

    def _handler(self, name: str) -> Callable[[Stream[Any, Any]], Coroutine[Any, Any, None]]:
        async def handle(stream: Stream[Any, Any]) -> None:
            request = await stream.recv_message()
            loopback = self.loopback
            loopback.seen[name] += 1
            if loopback.faults[name]:
                raise GRPCError(loopback.faults[name].pop(0), "injected by the test")
            answer = getattr(loopback, name, None)
            if answer is None:
                raise GRPCError(Code.UNIMPLEMENTED, f"the loopback has no {name}; see loopback_modal/README.md")
            await stream.send_message(await answer(request, self.caller))

        return handle


class LoopbackModal(Calling, Keeping):
    """Use it in a ``with`` statement; then give :attr:`client_environment` to the processes that shall talk to it.

    Args:
        python_path: folders that containers import from, besides what the app ships (stand-ins for the tests).
        environment: variables of every container, besides PATH.
        ladder: seconds after a cancellation until SIGINT, and until SIGKILL (Modal: 30 and 60).
        max_containers: how many containers of one function may run.

    Attributes:
        faults: for an RPC's name, the statuses that its next calls fail with.
        seen: how often each RPC was called.
        kill_next: how many of the next inputs have their container killed, ``kill_after`` seconds after the start.
    """

    def __init__(
        self,
        *,
        python_path: list[str] | None = None,
        environment: dict[str, str] | None = None,
        ladder: tuple[float, float] = (30.0, 60.0),
        max_containers: int = 4,
    ) -> None:
        self.python_path = python_path or []
        self.environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **(environment or {})}
        self.ladder = ladder
        self.max_containers = max_containers
        self.faults: dict[str, list[Code]] = defaultdict(list)
        self.seen: dict[str, int] = defaultdict(int)
        self.kill_next = 0
        self.kill_after = 0.0
        self.closing = False
        self._tasks: set[asyncio.Future[None]] = set()

    @property
    def client_environment(self) -> dict[str, str]:
        """What makes a Modal client talk to this and to nothing else."""
        return {
            "MODAL_SERVER_URL": f"http://127.0.0.1:{self.port}",
            "MODAL_TOKEN_ID": "ak-loopback",
            "MODAL_TOKEN_SECRET": "as-loopback",
            "MODAL_CONFIG_PATH": "/dev/null",
            "MODAL_DISABLE_API_PROXY": "1",
        }

    # ---- what tests do; from their own thread

    def run(self, function: Callable[[], T]) -> T:
        """Call ``function`` in the loopback's thread, and give back what it gives."""

        async def call() -> T:
            value = function()
            self.state.changed()
            return value

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(30)

    def container_pids(self) -> list[int]:
        """The process ids of the containers that run."""
        return self.run(lambda: [c.process.pid for c in self.state.containers.values() if c.process])

    def running(self) -> list[Input]:
        """The inputs that are in a container now."""
        return self.run(lambda: [c.current for c in self.state.containers.values() if c.current])

    def kill_containers(self, number: int = signal.SIGKILL) -> None:
        """Kill all containers, as a lost machine would."""
        for pid in self.container_pids():
            with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
                os.killpg(pid, number)

    # ---- life

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="lm-"))  # short: it holds unix sockets
        self.log = self.folder / "containers.log"
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="loopback-modal", daemon=True)
        self._thread.start()
        if not self._started.wait(30):
            raise RuntimeError("the loopback Modal did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def keep(self, task: asyncio.Future[None]) -> None:
        """Hold on to a task until it ends."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def serve_container(self, container: Container, path: Path) -> Server:
        """A server of the container's own, which so knows who is asking."""
        server = Server([_Service(self, container)])
        await server.start(path=str(path))
        return server

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self.state = State()
        server = Server([_Service(self, None)])
        await server.start("127.0.0.1", 0)
        self.port = server._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        blobs = web.AppRunner(self.blob_app())
        await blobs.setup()
        site = web.TCPSite(blobs, "127.0.0.1", 0)
        await site.start()
        self.blob_url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]
        self._started.set()
        await self._stop.wait()
        self.closing = True
        for container in list(self.state.containers.values()):
            if container.process is not None and container.process.poll() is None:
                os.killpg(container.process.pid, signal.SIGKILL)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=10)
        server.close()
        await server.wait_closed()
        await blobs.cleanup()
