"""A kind of job of one's own: how bright the frames of a video are, written as a table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import reelproc as rp
from reelproc.files import whole_file
from reelproc.job_context import JobContext
from reelproc.jobs import Job, WorkCounter, WorkT_co
from reelproc.results import JobResult


class BrightnessResult(JobResult):
    """The file that was written, and the mean of all frames, 0 to 255."""

    output: str
    frame_count: int
    mean: float


class BrightnessJob(Job[BrightnessResult]):
    """Write a line for each frame of ``source`` to ``output``: its time in seconds, and its mean luma."""

    job: Literal["brightness"] = "brightness"
    source: str
    output: str

    def run(self, context: JobContext) -> BrightnessResult:
        values: list[float] = []
        context.progress(rp.Progress(phase="probe", message="reading the source"))
        with (
            whole_file(Path(self.output)) as partial,
            partial.open("w") as table,
            rp.open_video(context.sources[self.source], pix_fmt="yuv420p") as video,
        ):
            for frame in video:
                context.check()
                values.append(float(frame.planes[0].mean()))
                table.write(f"{frame.time:.3f},{values[-1]:.3f}\n")
        context.progress(rp.Progress(phase="done", done=len(values), total=len(values)))
        mean = sum(values) / len(values)
        return BrightnessResult(output=self.output, frame_count=len(values), mean=mean, hardware=context.hardware)

    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    def destination(self) -> str:
        return self.output

    def with_paths(self, paths: Mapping[str, str]) -> "BrightnessJob":
        return self.replace(source=paths.get(self.source, self.source), output=paths.get(self.output, self.output))

    def counted_by(self, counter: WorkCounter[WorkT_co]) -> WorkT_co:
        return counter.copy(self.source, 0.0, None)  # all of its packets are read
