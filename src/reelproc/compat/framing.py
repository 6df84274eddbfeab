"""``process_framing`` and its kin: crop, trim, speed, scale; and several such clips in one reel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Unpack, cast

from reelproc.compat.calls import Call, CallOptions, app_function
from reelproc.compat.clip_shapes import clip_of, clips_in_order, framed_clip, read_transition
from reelproc.compat.fields import FieldReader
from reelproc.compat.keys import Keys
from reelproc.jobs import RenderJob
from reelproc.keyframes import Interpolation
from reelproc.reel import Output, Reel
from reelproc.stages.upscale import Upscale
from reelproc.timing import exact

Data = Mapping[str, Any]

MODEL = "realesr-general-x4v3"


def read_rate(fps: float) -> Fraction:
    """Return ``fps``, exact."""
    return exact(FieldReader(fps, ("fps",)).number(above=0, most=1000))


def _output(width: FieldReader, height: FieldReader, fps: float, audio: bool) -> Output:
    for side in (width, height):
        if side.whole(least=2, most=16384) % 2:
            raise side.refused("an even number of pixels", "4:2:0 video has no odd ones")
    sound = FieldReader(audio, ("include_audio",)).flag(default=True)
    return Output(width=width.whole(), height=height.whole(), fps=read_rate(fps), audio=sound)


def _path_between(interpolation: str) -> Interpolation:
    return cast("Interpolation", FieldReader(interpolation, ("interpolation",)).choice("linear", "catmull-rom"))


@app_function(preset="modal-t4", timeout_seconds=600)
def process_framing(
    job_id: str,
    user_id: str,
    input_key: str,
    output_key: str,
    keyframes: Sequence[Data],
    output_width: int = 810,
    output_height: int = 1440,
    fps: float = 30,
    segment_data: Data | None = None,
    include_audio: bool = True,
    rotation: float = 0,
    *,
    interpolation: str = "linear",
    **options: Unpack[CallOptions],
) -> Call:
    """Follow the player by a moving crop, trim, change speed, and scale by ``lanczos``.

    Args:
        job_id: a name for the call; the same call under the same name is done once.
        user_id: whose keys they are.
        input_key, output_key: the clip, and where the result goes.
        keyframes: of the crop, by time or by frame; none: the largest centred crop. Times count from the start of the
            clip, before the trim.
        output_width, output_height: pixels, even.
        fps: of the result, and of the keyframes' frame numbers.
        segment_data: trim and speeds, in any of the forms in which the app has stored them.
        include_audio: whether the result has sound.
        rotation: degrees, counter-clockwise, before the crop.
        interpolation: of the crop, ``"linear"`` or ``"catmull-rom"``, which the app's later version draws.
        **options: see :class:`~reelproc.compat.calls.CallOptions`.
    """
    framed: Call = process_framing_ai.translate(
        job_id,
        user_id,
        input_key,
        output_key,
        keyframes,
        output_width,
        output_height,
        fps,
        segment_data,
        include_audio,
        rotation,
        interpolation=interpolation,
        model="lanczos",
        **options,
    )
    return framed


@app_function(preset="modal-t4", timeout_seconds=1800)
def process_framing_ai(
    job_id: str,
    user_id: str,
    input_key: str,
    output_key: str,
    keyframes: Sequence[Data],
    output_width: int = 810,
    output_height: int = 1440,
    fps: float = 30,
    segment_data: Data | None = None,
    include_audio: bool = True,
    rotation: float = 0,
    *,
    interpolation: str = "linear",
    model: str = MODEL,
    **options: Unpack[CallOptions],
) -> Call:
    """:func:`process_framing`, scaled by a network (extra ``ai``). If that fails, so does the job: nothing falls back.

    Args:
        job_id, user_id, input_key, output_key: as there.
        keyframes, output_width, output_height, fps, segment_data, include_audio, rotation, interpolation: as there.
        model: as :class:`~reelproc.Upscale` takes it.
        **options: see :class:`~reelproc.compat.calls.CallOptions`.
    """
    keys = Keys(options.get("root"))
    clip = framed_clip(
        keys.source(user_id, input_key),
        keyframes=FieldReader(keyframes, ("keyframes",)),
        segment_data=FieldReader(segment_data, ("segment_data",)),
        fps=read_rate(fps),
        rotation=FieldReader(rotation, ("rotation",)),
        finish=(Upscale(model=FieldReader(model, ("model",)).text()),),
        interpolation=_path_between(interpolation),
    )
    width, height = FieldReader(output_width, ("output_width",)), FieldReader(output_height, ("output_height",))
    reel = Reel(clips=[clip], output=_output(width, height, fps, include_audio))
    return Call(RenderJob(reel=reel, output=keys.output(user_id, output_key)), keys, job_id)


def _by_nvenc(job: RenderJob) -> RenderJob:
    output = job.reel.output.model_copy(update={"encoder": "h264_nvenc"})
    return job.model_copy(update={"reel": job.reel.model_copy(update={"output": output})})


process_framing_ai_l4 = process_framing_ai.variant("process_framing_ai_l4", preset="modal-l4")
process_framing_ai_nvenc = process_framing_ai.variant("process_framing_ai_nvenc", change=_by_nvenc)


@app_function(preset="modal-t4", timeout_seconds=3600)
def process_multi_clip(
    job_id: str,
    user_id: str,
    source_keys: Sequence[str],
    output_key: str,
    clips_data: Sequence[Data],
    transition: Data | None,
    target_width: int,
    target_height: int,
    fps: float = 30,
    include_audio: bool = True,
    *,
    interpolation: str = "linear",
    model: str = MODEL,
    **options: Unpack[CallOptions],
) -> Call:
    """Frame several clips by a network, which is loaded once, and join them.

    Args:
        job_id: a name for the call; the same call under the same name is done once.
        user_id: whose keys they are.
        source_keys: one for each clip.
        output_key: where the result goes.
        clips_data: the clips, in any of the forms in which the app has stored them; ``clipIndex`` is a clip's place in
            the reel and in ``source_keys``.
        transition: ``{type, duration}``; None: a cut.
        target_width, target_height: pixels, even.
        fps: of the result, and of the keyframes' frame numbers.
        include_audio: whether the result has sound.
        interpolation: of the crops.
        model: as :class:`~reelproc.Upscale` takes it.
        **options: see :class:`~reelproc.compat.calls.CallOptions`.
    """
    keys = Keys(options.get("root"))
    sources = [
        keys.source(user_id, item.text(), f"source_keys[{n}]")
        for n, item in enumerate(FieldReader(source_keys, ("source_keys",)).items())
    ]
    finish = (Upscale(model=FieldReader(model, ("model",)).text()),)
    path = _path_between(interpolation)
    clips = [
        clip_of(source, fields, fps=read_rate(fps), finish=finish, interpolation=path)
        for source, fields in clips_in_order(FieldReader(clips_data, ("clips_data",)), sources)
    ]
    reel = Reel(
        clips=clips,
        concat=read_transition(FieldReader(transition, ("transition",))),
        output=_output(
            FieldReader(target_width, ("target_width",)),
            FieldReader(target_height, ("target_height",)),
            fps,
            include_audio,
        ),
    )
    return Call(RenderJob(reel=reel, output=keys.output(user_id, output_key)), keys, job_id)
