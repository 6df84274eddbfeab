"""``detect_players``, ``extract_clip`` and ``create_annotated_compilation``: moments of a game."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from reelproc.compat.calls import Call, CallOptions, Result, app_function, detection_data
from reelproc.compat.clip_shapes import annotated_clip
from reelproc.compat.fields import FieldReader
from reelproc.compat.framing import read_rate
from reelproc.compat.keys import Keys
from reelproc.jobs import DetectJob, ExtractJob, RenderJob
from reelproc.reel import Output, Reel
from reelproc.results import DetectResult

Data = Mapping[str, Any]

DETECTOR = "yolov8x"


@app_function(preset="modal-t4", timeout_seconds=120)
def detect_players(
    user_id: str,
    input_key: str,
    frame_number: int,
    confidence_threshold: float = 0.5,
    *,
    model: str = DETECTOR,
    trust: bool = False,
    **options: Unpack[CallOptions],
) -> Call:
    """Find the players in one frame (extra ``detect``).

    Args:
        user_id: whose key it is.
        input_key: the video.
        frame_number: in order of display, from 0.
        confidence_threshold: what the model is less sure of is left out.
        model, trust: as :class:`~reelproc.DetectJob` takes them.
        **options: see :class:`~reelproc.compat.calls.CallOptions`.
    """
    keys = Keys(options.get("root"))
    frame = FieldReader(frame_number, ("frame_number",)).whole()
    confidence = FieldReader(confidence_threshold, ("confidence_threshold",)).number(least=0, most=1)
    job = DetectJob(
        source=keys.source(user_id, input_key), frames=[frame], confidence=confidence, model=model, trust=trust
    )

    def detections(result: DetectResult) -> Result:
        found = result.frames[0].detections
        return {"frame_number": frame, "detections": [detection_data(d) for d in found]}

    return Call(job, keys, added=detections)


@app_function(preset="modal-t4", timeout_seconds=120)
def detect_players_batch(
    user_id: str,
    input_key: str,
    timestamps: Sequence[float],
    confidence_threshold: float = 0.5,
    *,
    model: str = DETECTOR,
    trust: bool = False,
    **options: Unpack[CallOptions],
) -> Call:
    """Find the players at several times; the model is loaded once.

    Args:
        user_id, input_key, confidence_threshold, model, trust: as for :func:`detect_players`.
        timestamps: seconds.
        **options: see :class:`~reelproc.compat.calls.CallOptions`.
    """
    keys = Keys(options.get("root"))
    item = FieldReader(timestamps, ("timestamps",))
    times = [time.number(least=0) for time in item.items()]
    if not times:
        raise item.refused("at least one time")
    confidence = FieldReader(confidence_threshold, ("confidence_threshold",)).number(least=0, most=1)
    return Call(
        DetectJob(source=keys.source(user_id, input_key), times=times, confidence=confidence, model=model, trust=trust),
        keys,
    )


@app_function(preset="modal-cpu", timeout_seconds=300)
def extract_clip(
    user_id: str,
    input_key: str,
    output_key: str,
    start_time: float,
    end_time: float,
    copy_codec: bool = True,
    **options: Unpack[CallOptions],
) -> Call:
    """Cut a span out of a video, exact to the frame, in its own size and timestamps.

    Args:
        user_id: whose keys they are.
        input_key, output_key: the video, and where the result goes.
        start_time, end_time: seconds.
        copy_codec: copy what can be copied bit for bit; the groups of pictures that start and end cut into are encoded
            again. (The app's own copied packets, and so began at a key frame and not at ``start_time``.) False: encode
            all of it again.
        **options: see :class:`~reelproc.compat.calls.CallOptions`.
    """
    keys = Keys(options.get("root"))
    start = FieldReader(start_time, ("start_time",)).number(least=0)
    end = FieldReader(end_time, ("end_time",)).number(above=start)
    job = ExtractJob(
        source=keys.source(user_id, input_key),
        output=keys.output(user_id, output_key),
        start=start,
        end=end,
        smart_copy=FieldReader(copy_codec, ("copy_codec",)).flag(default=True),
    )
    return Call(job, keys)


@app_function(preset="modal-cpu", timeout_seconds=900)
def create_annotated_compilation(
    job_id: str,
    user_id: str,
    input_key: str,
    output_key: str,
    clips: Sequence[Data],
    gallery_output_key: str | None = None,
    *,
    fps: float = 30,
    **options: Unpack[CallOptions],
) -> Call:
    """Join rated moments of a game, each under its banner, in the game's own size.

    Args:
        job_id: a name for the call; the same call under the same name is done once.
        user_id: whose keys they are.
        input_key, output_key: the game, and where the result goes.
        clips: ``{start_time, end_time, name, notes, rating, tags}``, in the order of the reel.
        gallery_output_key: a second key that the result is put under.
        fps: of the result.
        **options: see :class:`~reelproc.compat.calls.CallOptions`.
    """
    keys = Keys(options.get("root"))
    source = keys.source(user_id, input_key)
    items = FieldReader(clips, ("clips",))
    made = [annotated_clip(item, source) for item in items.items()]
    if not made:
        raise items.refused("at least one clip")
    job = RenderJob(
        reel=Reel(clips=made, output=Output(width=None, height=None, fps=read_rate(fps))),
        output=keys.output(user_id, output_key),
        copies=[keys.output(user_id, gallery_output_key, "gallery_output_key")]
        if gallery_output_key is not None
        else [],
    )
    if gallery_output_key is None:
        return Call(job, keys, job_id)
    return Call(job, keys, job_id, added=lambda _: {"gallery_output_key": gallery_output_key})
