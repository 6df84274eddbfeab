"""The RPCs that deploy an app and look it up: environments, mounts, images, secrets, volumes, functions, classes."""

from __future__ import annotations

import hashlib
import time
from typing import Any

from google.protobuf.empty_pb2 import Empty
from grpclib import GRPCError
from grpclib.const import Status as Code
from modal_proto import api_pb2 as api

from loopback_modal.state import App, Function, State, Status

BUILDER = "2025.06"


class Deploying:
    """Handlers by the name of their RPC."""

    state: State

    async def ClientHello(self, r: Empty, caller: Any) -> api.ClientHelloResponse:
        return api.ClientHelloResponse()

    async def AuthTokenGet(self, r: Any, caller: Any) -> api.AuthTokenGetResponse:
        return api.AuthTokenGetResponse(token="e30.e30.")

    async def EnvironmentGetOrCreate(self, r: Any, caller: Any) -> api.EnvironmentGetOrCreateResponse:
        settings = api.EnvironmentSettings(image_builder_version=BUILDER)
        metadata = api.EnvironmentMetadata(name="main", settings=settings)
        return api.EnvironmentGetOrCreateResponse(environment_id="en-1", metadata=metadata)

    # ---- apps

    def deployed(self, name: str) -> App:
        for app in self.state.apps.values():
            if app.name == name:
                return app
        raise GRPCError(Code.NOT_FOUND, f"App '{name}' not found")

    async def AppGetByDeploymentName(self, r: Any, caller: Any) -> api.AppGetByDeploymentNameResponse:
        ids = [app.id for app in self.state.apps.values() if app.name == r.name]
        return api.AppGetByDeploymentNameResponse(app_id=ids[0] if ids else "")

    async def AppCreate(self, r: Any, caller: Any) -> api.AppCreateResponse:
        app = App(self.state.new_id("ap"))
        self.state.apps[app.id] = app
        return api.AppCreateResponse(app_id=app.id, app_page_url="http://127.0.0.1/app")

    def layout(self, app: App) -> api.AppLayout:
        objects = [
            api.Object(object_id=id, function_handle_metadata=self.state.functions[id].metadata)
            for id in app.function_ids.values()
        ]
        objects += [
            api.Object(object_id=id, class_handle_metadata=api.ClassHandleMetadata()) for id in app.class_ids.values()
        ]
        return api.AppLayout(objects=objects, function_ids=app.function_ids, class_ids=app.class_ids)

    async def AppGetLayout(self, r: Any, caller: Any) -> api.AppGetLayoutResponse:
        return api.AppGetLayoutResponse(app_layout=self.layout(self.state.apps[r.app_id]))

    async def AppPublish(self, r: Any, caller: Any) -> api.AppPublishResponse:
        app = self.state.apps[r.app_id]
        app.name, app.function_ids, app.class_ids = r.name, dict(r.function_ids), dict(r.class_ids)
        return api.AppPublishResponse(url="http://127.0.0.1/app", deployed_at=time.time())

    async def AppHeartbeat(self, r: Any, caller: Any) -> Empty:
        return Empty()

    async def AppClientDisconnect(self, r: Any, caller: Any) -> Empty:
        return Empty()

    # ---- what an image is made of

    async def MountBatchedCheckExistence(self, r: Any, caller: Any) -> api.MountBatchedCheckExistenceResponse:
        missing = [h for h in r.sha256_hex_hashes if h not in self.state.files]
        return api.MountBatchedCheckExistenceResponse(missing_sha256_hex_hashes=missing)

    async def MountPutFile(self, r: api.MountPutFileRequest, caller: Any) -> api.MountPutFileResponse:
        if r.data_blob_id:
            self.state.files[r.sha256_hex] = self.state.blobs[r.data_blob_id]
        elif r.HasField("data"):
            self.state.files[r.sha256_hex] = r.data
        return api.MountPutFileResponse(exists=r.sha256_hex in self.state.files)

    async def MountGetOrCreate(self, r: api.MountGetOrCreateRequest, caller: Any) -> api.MountGetOrCreateResponse:
        content = hashlib.sha256(b"".join(f.SerializeToString(deterministic=True) for f in r.files)).hexdigest()
        id = self.state.new_id("mo")
        self.state.mounts[id] = list(r.files)
        metadata = api.MountHandleMetadata(content_checksum_sha256_hex=content)
        return api.MountGetOrCreateResponse(mount_id=id, handle_metadata=metadata)

    async def ImageGetOrCreate(self, r: api.ImageGetOrCreateRequest, caller: Any) -> api.ImageGetOrCreateResponse:
        id = self.state.new_id("im")
        self.state.images[id] = r.image
        return api.ImageGetOrCreateResponse(
            image_id=id,
            result=api.GenericResult(status=Status.GENERIC_STATUS_SUCCESS),
            metadata=api.ImageMetadata(image_builder_version=BUILDER, python_version_info="3.11"),
        )

    def commands(self, image_id: str) -> list[str]:
        """The dockerfile commands of an image and of those below it."""
        image = self.state.images[image_id]
        below = [line for base in image.base_images if base.image_id for line in self.commands(base.image_id)]
        return below + list(image.dockerfile_commands)

    async def SecretGetOrCreate(self, r: api.SecretGetOrCreateRequest, caller: Any) -> api.SecretGetOrCreateResponse:
        if r.deployment_name and r.deployment_name not in self.state.named_secrets:
            raise GRPCError(Code.NOT_FOUND, f"Secret '{r.deployment_name}' not found")
        id = self.state.new_id("st")
        self.state.secrets[id] = self.state.named_secrets[r.deployment_name] if r.deployment_name else dict(r.env_dict)
        return api.SecretGetOrCreateResponse(secret_id=id)

    async def VolumeGetOrCreate(self, r: Any, caller: Any) -> api.VolumeGetOrCreateResponse:
        id = self.state.volumes.setdefault(r.deployment_name, f"vo-{len(self.state.volumes) + 1}")
        return api.VolumeGetOrCreateResponse(volume_id=id, metadata=api.VolumeMetadata(name=r.deployment_name))

    async def VolumeCommit(self, r: Any, caller: Any) -> api.VolumeCommitResponse:
        return api.VolumeCommitResponse()

    async def VolumeReload(self, r: Any, caller: Any) -> Empty:
        return Empty()

    # ---- functions and classes

    async def FunctionPrecreate(self, r: api.FunctionPrecreateRequest, caller: Any) -> api.FunctionPrecreateResponse:
        function = self.state.functions.get(r.existing_function_id)
        if function is None:
            function = Function(self.state.new_id("fu"), self.state.apps[r.app_id])
            self.state.functions[function.id] = function
        function.metadata = self._metadata(function, r)
        return api.FunctionPrecreateResponse(function_id=function.id, handle_metadata=function.metadata)

    @staticmethod
    def _metadata(function: Function, r: Any) -> api.FunctionHandleMetadata:
        metadata = api.FunctionHandleMetadata(
            function_name=r.function_name,
            function_type=r.function_type,
            definition_id=f"de-{function.id}",
            app_id=function.app.id,
            supported_input_formats=r.supported_input_formats,
            supported_output_formats=r.supported_output_formats,
        )
        for name, method in r.method_definitions.items():
            metadata.method_handle_metadata[name].CopyFrom(
                api.FunctionHandleMetadata(
                    function_name=method.function_name,
                    function_type=method.function_type,
                    use_method_name=name,
                    is_method=True,
                    definition_id=f"de-{function.id}",
                    app_id=function.app.id,
                    supported_input_formats=r.supported_input_formats,
                    supported_output_formats=r.supported_output_formats,
                )
            )
        return metadata

    async def FunctionCreate(self, r: api.FunctionCreateRequest, caller: Any) -> api.FunctionCreateResponse:
        function = self.state.functions[r.existing_function_id]
        function.definition = r.function
        function.metadata = self._metadata(function, r.function)
        function.metadata.class_parameter_info.CopyFrom(r.function.class_parameter_info)
        for variant in [f for f in self.state.functions.values() if f.metadata.base_function_id == function.id]:
            del self.state.functions[variant.id]  # clients bind their options anew
        return api.FunctionCreateResponse(
            function_id=function.id,
            function=r.function,
            handle_metadata=function.metadata,
            function_data=function.data(),
        )

    async def ClassCreate(self, r: api.ClassCreateRequest, caller: Any) -> api.ClassCreateResponse:
        return api.ClassCreateResponse(
            class_id=r.existing_class_id or self.state.new_id("cs"), handle_metadata=api.ClassHandleMetadata()
        )

    async def ClassGet(self, r: api.ClassGetRequest, caller: Any) -> api.ClassGetResponse:
        app = self.deployed(r.app_name)
        if r.object_tag not in app.class_ids:
            raise GRPCError(Code.NOT_FOUND, f"Class '{r.object_tag}' not found")
        return api.ClassGetResponse(class_id=app.class_ids[r.object_tag], handle_metadata=api.ClassHandleMetadata())

    async def FunctionGet(self, r: api.FunctionGetRequest, caller: Any) -> api.FunctionGetResponse:
        app = self.deployed(r.app_name)
        if r.object_tag not in app.function_ids:
            raise GRPCError(Code.NOT_FOUND, f"Function '{r.object_tag}' not found")
        function = self.state.functions[app.function_ids[r.object_tag]]
        return api.FunctionGetResponse(
            function_id=function.id, handle_metadata=function.metadata, function=function.data()
        )

    async def FunctionBindParams(self, r: api.FunctionBindParamsRequest, caller: Any) -> api.FunctionBindParamsResponse:
        self.state.bound.append(r)
        base = self.state.functions[r.function_id]
        digest = hashlib.sha256(r.SerializeToString(deterministic=True)).hexdigest()[:12]
        variant = self.state.functions.get(f"{base.id}-{digest}")
        if variant is None:
            variant = Function(f"{base.id}-{digest}", base.app, serialized_params=r.serialized_params)
            variant.definition.CopyFrom(base.definition)
            variant.metadata.CopyFrom(base.metadata)
            variant.metadata.base_function_id = base.id
            _apply(r.function_options, variant.definition)
            self.state.functions[variant.id] = variant
        return api.FunctionBindParamsResponse(bound_function_id=variant.id, handle_metadata=variant.metadata)


def _apply(options: api.FunctionOptions, definition: api.Function) -> None:
    """Options replace what they name, a part of the resources only that part."""
    if options.HasField("resources"):
        definition.resources.MergeFrom(options.resources)
    if options.HasField("retry_policy"):
        definition.retry_policy.CopyFrom(options.retry_policy)
    for name in ("timeout_secs", "concurrency_limit", "task_idle_timeout_secs"):
        if options.HasField(name):
            setattr(definition, name, getattr(options, name))
    if options.replace_secret_ids or options.secret_ids:
        definition.secret_ids[:] = options.secret_ids
    if options.replace_volume_mounts:
        del definition.volume_mounts[:]
        definition.volume_mounts.extend(options.volume_mounts)
