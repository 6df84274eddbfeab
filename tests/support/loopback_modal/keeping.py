"""The RPCs of what is kept: blobs, and the Dict."""

from __future__ import annotations

import hashlib
from typing import Any

from aiohttp import web
from google.protobuf.empty_pb2 import Empty
from grpclib import GRPCError
from grpclib.const import Status as Code
from modal_proto import api_pb2 as api

from loopback_modal.state import State


class Keeping:
    """Handlers by the name of their RPC, and the HTTP server that blobs go through."""

    state: State
    blob_url: str

    async def BlobCreate(self, r: api.BlobCreateRequest, caller: Any) -> api.BlobCreateResponse:
        id = self.state.new_id("bl")
        urls = api.UploadUrlList(items=[f"{self.blob_url}/{id}"])
        return api.BlobCreateResponse(blob_ids=[id], upload_urls=urls)

    async def BlobGet(self, r: api.BlobGetRequest, caller: Any) -> api.BlobGetResponse:
        return api.BlobGetResponse(download_url=f"{self.blob_url}/{r.blob_id}")

    def blob_app(self) -> web.Application:
        async def put(request: web.Request) -> web.Response:
            data = await request.read()
            self.state.blobs[request.match_info["id"]] = data
            return web.Response(headers={"ETag": f'"{hashlib.md5(data).hexdigest()}"'})

        async def get(request: web.Request) -> web.Response:
            return web.Response(body=self.state.blobs[request.match_info["id"]])

        app = web.Application(client_max_size=1 << 30)
        app.add_routes([web.put("/{id}", put), web.get("/{id}", get)])
        return app

    async def WorkspaceNameLookup(self, r: Empty, caller: Any) -> api.WorkspaceNameLookupResponse:
        return api.WorkspaceNameLookupResponse(workspace_name="loopback", username="loopback")

    async def WorkspaceBillingRates(
        self, r: api.WorkspaceBillingRatesRequest, caller: Any
    ) -> api.WorkspaceBillingRatesResponse:
        return api.WorkspaceBillingRatesResponse(rates=self.state.rates)

    def _dict(self, id: str) -> dict[bytes, bytes]:
        if id not in self.state.dicts:
            raise GRPCError(Code.NOT_FOUND, f"Dict '{id}' not found")
        return self.state.dicts[id]

    async def DictGetOrCreate(self, r: api.DictGetOrCreateRequest, caller: Any) -> api.DictGetOrCreateResponse:
        id = f"di-{r.deployment_name}"
        if r.object_creation_type == api.OBJECT_CREATION_TYPE_CREATE_IF_MISSING:
            self.state.dicts.setdefault(id, {})
        self._dict(id)
        return api.DictGetOrCreateResponse(dict_id=id, metadata=api.DictMetadata(name=r.deployment_name))

    async def DictUpdate(self, r: api.DictUpdateRequest, caller: Any) -> api.DictUpdateResponse:
        content = self._dict(r.dict_id)
        if r.if_not_exists and any(entry.key in content for entry in r.updates):
            return api.DictUpdateResponse(created=False)
        content.update((entry.key, entry.value) for entry in r.updates)
        self.state.changed()
        return api.DictUpdateResponse(created=True)

    async def DictGet(self, r: api.DictGetRequest, caller: Any) -> api.DictGetResponse:
        value = self._dict(r.dict_id).get(r.key)
        return api.DictGetResponse(found=value is not None, value=value)

    async def DictContains(self, r: api.DictContainsRequest, caller: Any) -> api.DictContainsResponse:
        return api.DictContainsResponse(found=r.key in self._dict(r.dict_id))

    async def DictPop(self, r: api.DictPopRequest, caller: Any) -> api.DictPopResponse:
        value = self._dict(r.dict_id).pop(r.key, None)
        return api.DictPopResponse(found=value is not None, value=value)

    async def DictHeartbeat(self, r: Any, caller: Any) -> Empty:
        return Empty()
