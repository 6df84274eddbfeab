"""Deploy the app from Python."""

from __future__ import annotations

import contextlib

from reelproc.errors import ExecutorError, MissingDependencyError


def deploy_app(*, show: bool = False) -> str:
    """Deploy :mod:`reelproc.modal_app.app` in this version, and return its name on Modal.

    Args:
        show: pass on what Modal says while it builds the image.

    Raises:
        MissingDependencyError: the extra ``modal`` is not installed.
        ExecutorError: Modal refuses: no token, no secret of the name, the image does not build.
    """
    try:
        import modal
        import modal.exception as modal_errors
    except ImportError as error:
        raise MissingDependencyError(
            f"deploying to Modal needs a package that is not installed ({error}); pip install 'reelproc[modal]'"
        ) from error
    from reelproc.executors.modal.call_errors import modal_failures
    from reelproc.modal_app.app import SETTINGS, app

    name = SETTINGS["REELPROC_MODAL_APP"]
    try:
        with modal_failures(name), modal.enable_output() if show else contextlib.nullcontext():
            app.deploy()
    except ExecutorError as error:
        if isinstance(error.__cause__, modal_errors.NotFoundError):
            raise ExecutorError(
                f"the app {name!r} cannot be deployed: {error.__cause__}. It carries the Modal secrets "
                f"{SETTINGS['REELPROC_MODAL_SECRETS']!r}; create them with 'modal secret create NAME KEY=VALUE ...', "
                "or name others in REELPROC_MODAL_SECRETS"
            ) from error.__cause__
        raise
    return name
