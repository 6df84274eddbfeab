"""The RPCs of those who call functions: start a call, put inputs, get outputs, cancel."""

from __future__ import annotations

from typing import Any

from google.protobuf.empty_pb2 import Empty
from grpclib import GRPCError
from grpclib.const import Status as Code
from modal_proto import api_pb2 as api

from loopback_modal.containers import Containers
from loopback_modal.state import Call, Input, Status, jwt_fields


class Calling(Containers):
    """Handlers by the name of their RPC."""

    def _call(self, id: str) -> Call:
        if id not in self.state.calls:
            raise GRPCError(Code.NOT_FOUND, f"Function call '{id}' not found")
        return self.state.calls[id]

    def _put(self, call: Call, items: Any) -> list[api.FunctionPutInputsResponseItem]:
        answers = []
        for item in items:
            one = Input(self.state.new_id("in"), call, item.idx, item.input)
            call.inputs.append(one)
            self.state.inputs[one.id] = one
            answers.append(api.FunctionPutInputsResponseItem(idx=one.index, input_id=one.id, input_jwt=one.jwt()))
        self.schedule(call.function)
        return answers

    async def FunctionMap(self, r: api.FunctionMapRequest, caller: Any) -> api.FunctionMapResponse:
        if r.function_id not in self.state.functions:
            raise GRPCError(Code.NOT_FOUND, f"Function '{r.function_id}' not found")
        function = self.state.functions[r.function_id]
        call = Call(self.state.new_id("fc"), function, r.function_call_invocation_type, r.parent_input_id)
        self.state.calls[call.id] = call
        return api.FunctionMapResponse(
            function_call_id=call.id,
            pipelined_inputs=self._put(call, r.pipelined_inputs),
            retry_policy=function.definition.retry_policy,
            function_call_jwt=call.jwt(),
            sync_client_retries_enabled=False,
            max_inputs_outstanding=1000,
        )

    async def FunctionPutInputs(self, r: api.FunctionPutInputsRequest, caller: Any) -> api.FunctionPutInputsResponse:
        return api.FunctionPutInputsResponse(inputs=self._put(self._call(r.function_call_id), r.inputs))

    async def FunctionFinishInputs(self, r: Any, caller: Any) -> Empty:
        return Empty()

    async def FunctionRetryInputs(
        self, r: api.FunctionRetryInputsRequest, caller: Any
    ) -> api.FunctionRetryInputsResponse:
        jwts = []
        for item in r.inputs:
            one = self.state.inputs[jwt_fields(item.input_jwt)["input_id"]]
            self.again(one)
            jwts.append(one.jwt())
        return api.FunctionRetryInputsResponse(input_jwts=jwts)

    async def FunctionGetOutputs(self, r: api.FunctionGetOutputsRequest, caller: Any) -> api.FunctionGetOutputsResponse:
        call = self._call(r.function_call_id)
        by_index = r.HasField("start_idx")
        seen = 0 if by_index else int(r.last_entry_id.split("-")[0])

        def outputs() -> list[api.FunctionGetOutputsItem]:
            if by_index:
                return [i.output for i in call.inputs if i.output and r.start_idx <= i.index <= r.end_idx]
            return call.log[seen:]

        found = await self.state.until(outputs, min(r.timeout, 55.0))
        return api.FunctionGetOutputsResponse(
            outputs=found,
            idxs=[item.idx for item in found],
            last_entry_id=f"{len(call.log) if not by_index else 0}-0",
            num_unfinished_inputs=sum(i.output is None for i in call.inputs),
        )

    async def FunctionCallFromId(self, r: Any, caller: Any) -> api.FunctionCallFromIdResponse:
        call = self._call(r.function_call_id)
        metadata = api.FunctionCallHandleMetadata(app_id=call.function.app.id, function_id=call.function.id)
        return api.FunctionCallFromIdResponse(function_call_id=call.id, num_inputs=len(call.inputs), metadata=metadata)

    async def FunctionCallCancel(self, r: api.FunctionCallCancelRequest, caller: Any) -> Empty:
        for one in self._call(r.function_call_id).inputs:
            if one.output is not None:
                continue
            one.cancelled = True
            if one.container is None:
                self.end(one, self.result(Status.GENERIC_STATUS_TERMINATED, "Input was cancelled by user"))
            else:
                self.climb_down(one)
        return Empty()
