"""Our app on a Modal: the loopback one, or with REELPROC_MODAL_LIVE=1 the account's own."""

from __future__ import annotations

import importlib
import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import modal
import pytest

from faulty_s3 import S3Service
from loopback_modal import LoopbackModal

LIVE = os.environ.get("REELPROC_MODAL_LIVE") == "1"
STAND_INS = Path(__file__).parents[1] / "executors" / "stand_ins"


@dataclass
class ModalService:
    """What tests need to know of it.

    Attributes:
        server: the loopback; None on the real Modal.
        storage: the S3 server behind the loopback's containers; None on the real Modal.
        prefix: addresses below it are the tests' own.
    """

    server: LoopbackModal | None
    storage: S3Service | None
    prefix: str
    environment: dict[str, str] = field(default_factory=dict)

    def address(self, *parts: str) -> str:
        """An address of the tests' own."""
        return "/".join([self.prefix, *parts])


def _fresh_app() -> modal.App:
    """Return the app as this environment describes it, whoever imported it before."""
    sys.modules.pop("reelproc.modal_app.app", None)
    return importlib.import_module("reelproc.modal_app.app").app


@contextmanager
def deployed() -> Iterator[ModalService]:
    """Our app, deployed by its own code; the environment of this process points at it."""
    if LIVE:  # the stand-in jobs go with the app
        os.environ["REELPROC_MODAL_MODULES"] = "sitecustomize,fake_jobs,reelproc_lab"
        os.environ.setdefault("REELPROC_MODAL_APP", "reelproc-tests")
        sys.path.insert(0, str(STAND_INS))
        _fresh_app().deploy()
        yield ModalService(None, None, f"s3:///reelproc-tests/{uuid.uuid4().hex}")
        return
    with pytest.MonkeyPatch.context() as patch, S3Service() as service, service.fresh() as storage:
        server = LoopbackModal(python_path=[str(STAND_INS), str(Path(__file__).parent)], ladder=(1.0, 2.0))
        with server:
            environment = server.client_environment | storage.environment
            for name, value in environment.items():
                patch.setenv(name, value)
            shipped = os.environ.get("REELPROC_MODAL_MODULES", "")  # besides them the experiments' jobs
            patch.setenv("REELPROC_MODAL_MODULES", f"{shipped},reelproc_lab")
            server.run(lambda: server.state.named_secrets.update({"reelproc-storage": storage.environment}))
            _fresh_app().deploy()
            yield ModalService(server, storage, f"s3://{storage.bucket}", environment)
            modal.Client.from_env().close()
