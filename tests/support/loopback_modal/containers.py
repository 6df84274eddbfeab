"""The scheduler, and the RPCs of the containers: take an input, give an output, hear that it is cancelled."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from subprocess import Popen
from typing import Any

from google.protobuf.empty_pb2 import Empty
from modal_proto import api_pb2 as api

from loopback_modal.deploying import Deploying
from loopback_modal.state import Container, Function, Input, Status

_ENTRY = """
import importlib.util, runpy
if importlib.util.find_spec("sitecustomize"):  # -S leaves that out, too
    import sitecustomize
runpy.run_module("modal._container_entrypoint", run_name="__main__", alter_sys=True)
"""

SITES = [path for path in sys.path if path.endswith("site-packages")]
"""Where the image's packages are: what ``.pth`` files add to them is left out, all but further such folders."""

LOSSES = 3
"""A container that dies loses its input this many times before that is given up."""


class Containers(Deploying):
    """Starts, feeds and ends container processes."""

    folder: Path
    environment: dict[str, str]
    python_path: list[str]
    ladder: tuple[float, float]
    max_containers: int
    kill_next: int
    log: Path

    # ---- scheduling

    def schedule(self, function: Function) -> None:
        """See that there is a container for every input that waits, within the limit."""
        waiting = [i for i in self.state.inputs.values() if i.waiting and i.call.function is function]
        mine = [c for c in self.state.containers.values() if c.function is function]
        free = [c for c in mine if c.current is None]
        limit = min(function.definition.concurrency_limit or self.max_containers, self.max_containers)
        for _ in range(min(len(waiting) - len(free), limit - len(mine))):
            self._start(function)
        self.state.changed()

    def _start(self, function: Function) -> None:
        definition = function.definition
        id = self.state.new_id("ta")
        folder = Path(tempfile.mkdtemp(prefix=f"{id}-", dir=self.folder))
        for mount in definition.mount_ids:
            for file in self.state.mounts[mount]:
                path = folder / file.filename.lstrip("/")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.unlink(missing_ok=True)  # a later mount lies over the earlier ones
                path.hardlink_to(self._file(file.sha256_hex))
        layout = self.layout(function.app)
        known = {item.object_id for item in layout.objects}
        layout.objects.extend(
            api.Object(object_id=d.object_id) for d in definition.object_dependencies if d.object_id not in known
        )
        arguments = api.ContainerArguments(
            task_id=id, function_id=function.id, app_id=function.app.id, function_def=definition,
            serialized_params=function.serialized_params, environment_name="main", app_layout=layout,
        )  # fmt: skip
        (folder / "arguments").write_bytes(arguments.SerializeToString())
        environment = dict(self.environment) | self._image_environment(function)
        for secret in definition.secret_ids:
            environment |= self.state.secrets[secret]
        environment |= {
            "MODAL_CONTAINER_ARGUMENTS_PATH": str(folder / "arguments"),
            "MODAL_SERVER_URL": f"unix://{folder / 'sock'}",
            "MODAL_IS_REMOTE": "1",
            "MODAL_TASK_ID": id,
            "PYTHONPATH": os.pathsep.join([str(folder / "root"), *self.python_path, *SITES]),
        }
        # -S: no .pth files, so that an editable install of what the image lacks is not found
        argv = [sys.executable, "-S", "-c", _ENTRY]

        async def begin() -> None:
            container.server = await self.serve_container(container, folder / "sock")
            with self.log.open("ab") as log:
                container.process = Popen(
                    argv, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
                )
            await self._watch(container)

        container = Container(id, function, None, folder)  # type: ignore[arg-type]
        self.state.containers[id] = container
        self.keep(asyncio.ensure_future(begin()))

    def _file(self, sha256: str) -> Path:
        """A mounted file, on the disk once for all containers."""
        path = self.folder / "files" / sha256
        content = self.state.files[sha256]
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(exist_ok=True)
            path.unlink(missing_ok=True)
            path.write_bytes(content)
        return path

    def _image_environment(self, function: Function) -> dict[str, str]:
        """The image's ENV lines, a volume's mount path in them replaced by its folder on this machine."""
        environment = {}
        for line in self.commands(function.definition.image_id):
            if line.startswith("ENV "):
                name, _, value = line[4:].partition("=")
                value = value.strip().strip("'\"")
                for mount in function.definition.volume_mounts:
                    volume = self.folder / mount.volume_id
                    volume.mkdir(exist_ok=True)
                    if value.startswith(mount.mount_path):
                        value = str(volume) + value[len(mount.mount_path) :]
                environment[name] = value
        return environment

    async def _watch(self, container: Container) -> None:
        """Wait for the container's end, and see to the input that it had."""
        while container.process.poll() is None:
            await asyncio.sleep(0.02)
        if container.server is not None:
            container.server.close()
        shutil.rmtree(container.folder, ignore_errors=True)  # one that fails at its start is repeated without end
        del self.state.containers[container.id]
        shutil.rmtree(container.folder, ignore_errors=True)  # an app that cannot start has many
        one = container.current
        if one is not None and one.output is None:
            one.container = None
            if one.cancelled:
                self.end(one, self.result(Status.GENERIC_STATUS_TERMINATED, "Input was cancelled by user"))
            elif one.timed_out:
                self._timeout(one)
            else:
                one.losses += 1
                if one.losses < LOSSES:
                    self.again(one)
                else:
                    self.end(one, self.result(Status.GENERIC_STATUS_INTERNAL_FAILURE, "Container was lost"))
        if not container.worked and not self.closing:  # it failed to start; as Modal does: again and again, without end
            await asyncio.sleep(0.5)
        if not self.closing:
            self.schedule(container.function)
        self.state.changed()

    # ---- inputs

    @staticmethod
    def result(status: int, why: str) -> api.FunctionPutOutputsItem:
        """An output that the platform makes itself."""
        return api.FunctionPutOutputsItem(result=api.GenericResult(status=status, exception=why))  # type: ignore[arg-type]

    def again(self, one: Input) -> None:
        """Have it run once more."""
        one.container, one.output, one.timed_out, one.waiting = None, None, False, True
        self.schedule(one.call.function)

    def end(self, one: Input, item: api.FunctionPutOutputsItem) -> None:
        """Its last output."""
        one.waiting = False
        one.output = api.FunctionGetOutputsItem(
            result=item.result, idx=one.index, input_id=one.id, data_format=item.data_format,
            output_created_at=time.time(), retry_count=one.failures,
        )  # fmt: skip
        one.call.log.append(one.output)
        self.state.changed()

    def _timeout(self, one: Input) -> None:
        self._failed(one, self.result(Status.GENERIC_STATUS_TIMEOUT, "Task's current input hit its timeout"))

    def _failed(self, one: Input, item: api.FunctionPutOutputsItem) -> None:
        policy = one.call.function.definition.retry_policy
        if one.failures < policy.retries:
            one.failures += 1
            asyncio.get_running_loop().call_later(policy.initial_delay_ms / 1000, self.again, one)
        else:
            self.end(one, item)

    def climb_down(self, one: Input) -> None:
        """Modal's ladder: InputCancellation by the heartbeat; SIGINT; SIGKILL."""
        container = one.container
        if container is None:
            return
        container.cancels.append(one.id)
        self.state.changed()

        def send(number: int) -> None:
            if container.current is one and container.process.poll() is None:
                os.killpg(container.process.pid, number)

        loop = asyncio.get_running_loop()
        loop.call_later(self.ladder[0], send, signal.SIGINT)
        loop.call_later(self.ladder[1], send, signal.SIGKILL)

    def _at_time_limit(self, one: Input, attempt: int) -> None:
        if one.attempts == attempt and one.container is not None and one.output is None:
            one.timed_out = True
            self.climb_down(one)

    # ---- what containers ask

    async def ContainerHello(self, r: Empty, caller: Container) -> Empty:
        return Empty()

    async def ContainerHeartbeat(self, r: Any, caller: Container) -> api.ContainerHeartbeatResponse:
        await self.state.until(lambda: caller.cancels, 10.0)
        ids, caller.cancels = caller.cancels, []
        if not ids:
            return api.ContainerHeartbeatResponse()
        return api.ContainerHeartbeatResponse(cancel_input_event=api.CancelInputEvent(input_ids=ids))

    async def FunctionGetInputs(self, r: Any, caller: Container) -> api.FunctionGetInputsResponse:
        def take() -> Input | None:
            if caller.process.poll() is not None or caller.current is not None:
                return None
            waiting = (i for i in self.state.inputs.values() if i.waiting and i.call.function is caller.function)
            one = next(waiting, None)
            if one is not None:
                one.waiting, one.container, caller.current = False, caller, one
                caller.worked = True
                one.attempts += 1
            return one

        one = await self.state.until(take, 30.0)
        if one is None:
            return api.FunctionGetInputsResponse()
        limit = caller.function.definition.timeout_secs or 300
        asyncio.get_running_loop().call_later(limit, self._at_time_limit, one, one.attempts)
        if self.kill_next:
            self.kill_next -= 1
            asyncio.get_running_loop().call_later(self.kill_after, os.killpg, caller.process.pid, signal.SIGKILL)
        item = api.FunctionGetInputsItem(
            input_id=one.id, input=one.content, function_call_id=one.call.id, function_map_idx=one.index,
            function_call_invocation_type=one.call.invocation, retry_count=one.attempts - 1,
        )  # fmt: skip
        return api.FunctionGetInputsResponse(inputs=[item])

    async def FunctionPutOutputs(self, r: api.FunctionPutOutputsRequest, caller: Container) -> Empty:
        for item in r.outputs:
            one = self.state.inputs[item.input_id]
            if one.container is not caller or one.output is not None:
                continue
            caller.current = None
            if one.cancelled:
                self.end(one, self.result(Status.GENERIC_STATUS_TERMINATED, "Input was cancelled by user"))
            elif one.timed_out:
                one.container = None
                self._timeout(one)
            elif item.result.status == Status.GENERIC_STATUS_SUCCESS:
                self.end(one, item)
            else:
                one.container = None
                self._failed(one, item)
        self.state.changed()
        return Empty()

    async def TaskResult(self, r: api.TaskResultRequest, caller: Container) -> Empty:
        return Empty()

    async def FunctionGetDynamicConcurrency(
        self, r: Any, caller: Container
    ) -> api.FunctionGetDynamicConcurrencyResponse:
        return api.FunctionGetDynamicConcurrencyResponse(concurrency=1)
