"""``reelproc models``: the networks that scale pictures, and the files they are loaded from."""

from __future__ import annotations

from pathlib import Path

import click

from reelproc.cli.common import common_options, say
from reelproc.cli.completion import networks
from reelproc.cli.groups import Group
from reelproc.cli.overwrite import OutputExistsError, force_option
from reelproc.cli.progress import progress_bar
from reelproc.errors import SpecError
from reelproc.schema import Schema
from reelproc.suggestions import did_you_mean


class WeightsLine(Schema):
    """A file of weights.

    Attributes:
        name: of the file.
        status: ``"here"``, ``"added"`` (a file of yours under that name) or ``"missing"``.
        path: where it is, or is to be.
        sha256: of the file that is here, else of the official one.
        url: where the official one comes from; "" for yours.
        size_bytes: of the official one; 0 for yours.
    """

    name: str
    status: str
    path: str
    sha256: str
    url: str = ""
    size_bytes: int = 0


class ModelLine(Schema):
    """A network.

    Attributes:
        name: what ``Upscale.model`` says.
        description: what it is.
        scale: by which it enlarges; None where only its file knows.
        gflop_per_megapixel: work per million pixels of its input; None where only its file knows.
        files: its weights: those for ``denoise_strength`` too.
    """

    name: str
    description: str
    scale: int | None
    gflop_per_megapixel: float | None
    files: tuple[WeightsLine, ...]


class ModelList(Schema):
    """All networks, and the folder of their weights."""

    folder: str
    models: tuple[ModelLine, ...]


class Weights(Schema):
    """Files that were fetched, added or asked for."""

    files: tuple[WeightsLine, ...]


@click.group(cls=Group, invoke_without_command=True)
@common_options
@click.pass_context
def models(context: click.Context, as_json: bool) -> None:
    """List, fetch, find and add the networks that scale pictures. Without a command: list them.

    Official weights are fetched when they are first needed; "models fetch" does it beforehand. They are kept in the
    folder that REELPROC_WEIGHTS names.
    """
    if context.invoked_subcommand is None:
        context.invoke(list_models, as_json=as_json)


@models.command(name="list")
@common_options
def list_models(as_json: bool) -> None:
    """List the networks, and which of their weights are here."""
    from reelproc.folders import weights_folder
    from reelproc.upscalers.models import MODELS
    from reelproc.upscalers.weights import SUFFIXES, added_names

    lines = []
    used = set()
    for model in MODELS.values():
        files = [name for name in (model.file, model.weak_denoise_file) if name]
        used.update(files)
        cost = None if model.flop_per_pixel is None else round(model.flop_per_pixel / 1e3, 1)
        lines.append(
            ModelLine(
                name=model.name,
                description=model.description,
                scale=model.scale,
                gflop_per_megapixel=cost,
                files=tuple(map(_line, files)),
            )
        )
    for name in added_names():
        if name not in used and name.endswith(SUFFIXES):
            text = "a file that was added here"
            lines.append(
                ModelLine(name=name, description=text, scale=None, gflop_per_megapixel=None, files=(_line(name),))
            )
    result = ModelList(folder=str(weights_folder()), models=tuple(lines))
    shown = [f"Weights are kept in {result.folder}"]
    for line in result.models:
        shown.append(f"{line.name}: {line.description}")
        shown += [f"  {_status(file)}" for file in line.files]
    say(result, as_json=as_json, text="\n".join(shown))


@models.command()
@click.argument("names", nargs=-1, metavar="[MODEL...]", shell_complete=networks)
@click.option("--all", "everything", is_flag=True, help="All of them (146 MB).")
@force_option
@common_options
def fetch(names: tuple[str, ...], everything: bool, force: bool, as_json: bool) -> None:
    """Fetch the official weights of MODELs; without a name those of realesr-general-x4v3.

    What is here and right is not fetched again; what broke off goes on where it stopped.
    """
    from reelproc.results import Progress
    from reelproc.upscalers import weights

    wanted = list(weights.OFFICIAL) if everything else _files(names or ("realesr-general-x4v3",))
    for name in wanted:
        _check_free(name, force=force)
    lines = []
    with progress_bar(as_json=as_json) as show:
        for name in wanted:

            def told(done: int, total: int, name: str = name) -> None:
                show(Progress(phase=name, done=done, total=total, message=name))

            weights.fetch(name, progress=told)
            lines.append(_line(name))
    result = Weights(files=tuple(lines))
    say(result, as_json=as_json, text="\n".join(map(_status, lines)))


@models.command()
@click.argument("name", metavar="MODEL", shell_complete=networks)
@common_options
def path(name: str, as_json: bool) -> None:
    """Say where the weights of MODEL are, or belong; the files need not be there."""
    result = Weights(files=tuple(map(_line, _files((name,)))))
    say(result, as_json=as_json, text="\n".join(line.path for line in result.files))


@models.command()
@click.argument("file", metavar="FILE")
@click.option("--name", metavar="NAME", help="What to call it; the name of an official file takes its place.")
@force_option
@common_options
def add(file: str, name: str | None, force: bool, as_json: bool) -> None:
    """Keep a copy of FILE (.pth, .pt, .ckpt, .safetensors or .onnx) with the weights, to be used by its name.

    Its sha256 is recorded and checked from then on. A .pth may hold nothing but tensors.
    """
    from reelproc.upscalers import weights

    called = name or Path(file).name
    _check_free(called, force=force, sha256=weights.weights_sha256(file) if Path(file).is_file() else None)
    line = _line(weights.add(file, name).path.name)
    say(Weights(files=(line,)), as_json=as_json, text=_status(line))


@models.command()
@click.argument("name", metavar="MODEL", shell_complete=networks)
@click.option("--denoise-strength", type=click.FloatRange(0, 1), help="Of realesr-general-x4v3: blended in for good.")
@force_option
@common_options
def export(name: str, denoise_strength: float | None, force: bool, as_json: bool) -> None:
    """Export MODEL, or your own file of weights, for backend "onnx". Needs reelproc[ai,onnx].

    Real-ESRGAN's networks need none: that backend runs their own weights.
    """
    from reelproc.errors import MissingDependencyError
    from reelproc.upscalers.base import UpscaleOptions
    from reelproc.upscalers.models import MODELS, Model, onnx_file

    try:
        from reelproc.upscalers.onnx_export import export as exported
    except ImportError as error:
        raise MissingDependencyError(
            f"exporting needs reelproc[ai,onnx] ({error}); Real-ESRGAN's networks need no export: "
            "backend='onnx' runs their own weights"
        ) from error
    model = MODELS.get(name) or Model(name, "a file of your own", name)
    if denoise_strength is not None and model.weak_denoise_file is None:
        raise SpecError(f"{name} has no --denoise-strength; realesr-general-x4v3 has")
    _check_free(onnx_file(model, UpscaleOptions(denoise_strength=denoise_strength)), force=force, exported=True)
    line = _line(exported(model, denoise_strength).path.name)
    say(Weights(files=(line,)), as_json=as_json, text=_status(line))


def _check_free(name: str, *, force: bool, sha256: str | None = None, exported: bool = False) -> None:
    """See that nothing else of the user's is kept as ``name``: an official file is not, nor what was exported.

    Args:
        name: of a file in the weights folder.
        force: it may be replaced whatever it is.
        sha256: of what it would be replaced by; the same is no loss.
        exported: it would be replaced by an export.

    Raises:
        OutputExistsError: it is somebody's.
    """
    from reelproc.files import sha256_of
    from reelproc.upscalers.weights import kept_file

    here = None if force else kept_file(name)
    if here is None or here.official:
        return
    got = sha256_of(here.path)
    if got == sha256 or (exported and here.origin.startswith("exported from") and got == here.sha256):
        return
    raise OutputExistsError(f"{here.path} is there already, {here.origin}: choose another name, or add --force")


def _files(names: tuple[str, ...]) -> list[str]:
    """Return the files of models, each once; a file's own name will do."""
    from reelproc.upscalers.models import MODELS
    from reelproc.upscalers.weights import OFFICIAL, added_names

    files: dict[str, None] = {}
    for name in names:
        if name in MODELS:
            model = MODELS[name]
            files.update(dict.fromkeys(f for f in (model.file, model.weak_denoise_file) if f))
        elif name in OFFICIAL or name in added_names():
            files[name] = None
        else:
            known = [*MODELS, *added_names()]
            meant = did_you_mean(name, known)
            raise SpecError(f"no network is called {name!r}; there are: {', '.join(known)}{meant}")
    return list(files)


def _line(name: str) -> WeightsLine:
    from reelproc.folders import weights_folder
    from reelproc.upscalers.weights import OFFICIAL, kept_file

    here, official = kept_file(name), OFFICIAL.get(name)
    status = "missing" if here is None else "here" if here.official else "added"
    return WeightsLine(
        name=name,
        status=status,
        path=str(weights_folder() / name),
        sha256=here.sha256 if here else official.sha256 if official else "",
        url=official.url if official else "",
        size_bytes=official.size if official else 0,
    )


def _status(line: WeightsLine) -> str:
    if line.status == "missing":
        return f"missing  {line.name} ({line.size_bytes / 1e6:.1f} MB, from {line.url})"
    note = "" if line.status == "here" or not line.url else ", not the official file"
    return f"{line.status:<7}  {line.path} (sha256 {line.sha256[:12]}...{note})"
