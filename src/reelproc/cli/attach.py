"""``reelproc attach`` and ``reelproc modal``: jobs that outlive the command that submitted them, and where they run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from reelproc.cli.common import common_options, executor_option, follow, making_executor, say, staging_option
from reelproc.cli.completion import job_ids
from reelproc.cli.groups import Group
from reelproc.cli.overwrite import remember
from reelproc.cli.verbosity import verbose_option
from reelproc.schema import Schema

if TYPE_CHECKING:
    from reelproc.executors.local.executor import LocalExecutor


@click.command()
@click.argument("job_id", metavar="ID", shell_complete=job_ids)
@executor_option
@staging_option
@click.option("--cancel", is_flag=True, help="Stop the job instead of waiting for it.")
@common_options
def attach(job_id: str, executor: str, staging: str | None, cancel: bool, as_json: bool) -> None:
    """Follow the job ID to its end, and say its result.

    The job may have been submitted by a command that was killed or interrupted since. One on Modal runs on when its
    command is killed; one on this machine goes on from its finished segments. Ctrl-C leaves a job on Modal running, and
    one on this machine to the next attach; --cancel stops it. "reelproc jobs" lists those of this machine.
    """
    from reelproc.errors import JobCancelledError
    from reelproc.executors.local.executor import LocalExecutor

    ex = making_executor(executor, staging=staging)
    try:
        handle = ex.resume(job_id) if isinstance(ex, LocalExecutor) and not cancel else ex.attach(job_id)
        if cancel:
            handle.cancel()
            outcome = handle.wait(60).outcome
            if isinstance(outcome, JobCancelledError):
                say(Cancelled(job=job_id), as_json=as_json, text=f"job {job_id} was cancelled")
                return
        result = follow(handle, as_json=as_json)
        if isinstance(ex, LocalExecutor):
            _note_result(ex, job_id)
    except (KeyboardInterrupt, SystemExit):
        ex.detach()  # nobody waits for the job any more; it is the next one's to attach to
        raise
    finally:
        ex.close()
    text = result.summary()
    say(result, as_json=as_json, text=text, warnings=result.warnings)


def _note_result(executor: LocalExecutor, job_id: str) -> None:
    """Note the job's result as its own, as the command that submitted it would have."""
    from reelproc.executors.local.job_folder import JobFolder

    request = JobFolder(executor.folder, job_id).request()
    if request is not None and (place := request.destination()):
        remember(place, lambda: request.identity)


class Cancelled(Schema):
    """What ``attach --cancel`` did."""

    job: str
    status: str = "cancelled"


class Deployed(Schema):
    """What was deployed.

    Attributes:
        app: the app's name on Modal.
        version: of reelproc.
        seconds: that it took, the image's build included.
    """

    app: str
    version: str
    seconds: float


@click.group(cls=Group)
@verbose_option
def modal() -> None:
    """Run jobs on Modal."""


@modal.command()
@common_options
def deploy(as_json: bool) -> None:
    """Deploy the app that --executor modal-t4, modal-l4 and modal-cpu use, in this version.

    It needs a Modal account ("modal token new") and a Modal secret "reelproc-storage" with the variables that storage
    needs, e.g.: modal secret create reelproc-storage R2_ENDPOINT_URL=... R2_ACCESS_KEY_ID=... R2_SECRET_ACCESS_KEY=...
    """
    import reelproc
    from reelproc.modal_app.deploy import deploy_app

    begin = time.perf_counter()
    name = deploy_app(show=not as_json)
    done = Deployed(app=name, version=reelproc.__version__, seconds=round(time.perf_counter() - begin, 3))
    say(done, as_json=as_json, text=f"reelproc {done.version} is deployed on Modal as the app {name!r}")
