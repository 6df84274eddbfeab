"""What a shell offers for a value when Tab is pressed. Nothing heavy is imported for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import get_args

import click

Completer = Callable[[click.Context, click.Parameter, str], list[str]]


def offers(names: Callable[[], Iterable[str]]) -> Completer:
    """Return the completer of options that take one of ``names``, which is called when Tab is pressed."""

    def complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
        return sorted(name for name in names() if name.startswith(incomplete))

    return complete


def _upscalers() -> Iterable[str]:
    from reelproc.upscalers import UPSCALERS

    return UPSCALERS.names()


def _networks() -> Iterable[str]:
    from reelproc.upscalers.models import MODELS

    return MODELS


def _executors() -> Iterable[str]:
    from reelproc.executors.base import executors

    return executors.names()


def _detectors() -> Iterable[str]:
    from reelproc.detectors import DETECTORS

    return DETECTORS.names()


def _encoders() -> Iterable[str]:
    from reelproc.media.write.encoders import ENCODERS

    return ENCODERS


def _effects() -> Iterable[str]:
    from reelproc.drawing.options import Effect

    return get_args(Effect)


def _regions() -> Iterable[str]:
    from reelproc.prices import current_prices

    return current_prices().regions


def _job_ids() -> Iterable[str]:
    from reelproc.folders import cache_folder

    return (path.parent.name for path in (cache_folder() / "jobs").glob("*/job.json"))


upscalers, networks, executors, detectors = map(offers, (_upscalers, _networks, _executors, _detectors))
encoders, effects, regions, job_ids = map(offers, (_encoders, _effects, _regions, _job_ids))
