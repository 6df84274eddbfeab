"""What a container on Modal does when it is called by one of the app's function names.

The job is done there and then, as :class:`~reelproc.executors.modal.worker.Container` does all jobs. Whatever happens
is in the result dictionary: a script that calls ``modal.Function.from_name(...)`` need not have reelproc's errors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from reelproc import __version__
from reelproc.compat.calls import Call, Result, failure_data
from reelproc.compat.functions import FUNCTIONS
from reelproc.errors import SpecError
from reelproc.executors.modal.staging import Staging
from reelproc.executors.modal.worker import MARGIN_SECONDS, Container, Delegating, ModalRequest
from reelproc.executors.outcome import as_reelproc_error, outcome_from_data

CLIENT_OPTIONS = ("executor", "progress_callback", "call_id_callback")


def run_by_name(
    name: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    *,
    container: Container,
    delegating: Delegating | None = None,
) -> Result:
    """Do what the app's function ``name`` means, in this container, and return its dictionary.

    Args:
        name: in :data:`~reelproc.compat.functions.FUNCTIONS`.
        args, kwargs: of the call.
        container: this one.
        delegating: says how the parts of a divided render are done.
    """
    try:
        call = _translated(name, args, kwargs)
        function = FUNCTIONS[name]
        request = ModalRequest(
            version=__version__,
            id=call.id() or name,
            job=call.job,
            preset=function.preset,
            timeout=kwargs.get("timeout") or function.timeout_seconds - MARGIN_SECONDS,
            store=Staging(None).store(call.job),
            coordinated=call.job.is_divided,
        )
        outcome = container.run(request.model_dump_json(), lambda _: None, delegating)
        return call.result(outcome_from_data(json.loads(outcome)))
    except Exception as error:  # noqa: BLE001 - all is reported, as data
        return failure_data(as_reelproc_error(error))


def _translated(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Call:
    for option in CLIENT_OPTIONS:
        if kwargs.get(option) is not None:
            raise SpecError(
                f"{option}: got {kwargs[option]!r}, expected nothing, since {name} runs where it is called; spawn it "
                "and keep its call's id, or call it by reelproc.compat",
                path=(option,),
            )
    try:
        return FUNCTIONS[name].translate(*args, **kwargs)
    except TypeError as error:
        raise SpecError(str(error)) from error
