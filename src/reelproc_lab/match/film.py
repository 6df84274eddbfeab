"""The drawn match: the scene put together, filmed by a panning camera, and written as a clip with sound."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from reelproc import EncodeError, Progress
from reelproc.demo.match import MatchTracks, Outline
from reelproc.files import scratch_folder, whole_file
from reelproc.media.ffmpeg import STALL_SECONDS, FFmpegProcess
from reelproc.storage.source import file_argument
from reelproc_lab.match import players, skeleton
from reelproc_lab.match.ball import draw_ball
from reelproc_lab.match.camera import Camera
from reelproc_lab.match.pitch import GOAL_Y
from reelproc_lab.match.players import Kit, Look
from reelproc_lab.match.script import BALL_RADIUS, DURATION, GOAL_TIME, HERO
from reelproc_lab.match.sound import RATE, soundtrack
from reelproc_lab.match.stadium import Stadium
from reelproc_lab.match.story import Story, smooth, tell

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from reelproc import Frame
    from reelproc.media.write.encoders import EncoderSettings
    from reelproc.results import ProgressCallback

WIDTH, HEIGHT, FPS = 1920, 1080, 30

_PLACE = (80.0, -17.0, 12.5)
"""Where the camera stands: on the roof of the near stand, level with the last third."""

_HOME = (Kit("#d42a35", "#ffffff", "#f4f4f5", "#d42a35"), Kit("#e9eef5", "#dc2626", "#1f2937", "#e9eef5", "#1f2937"))
_AWAY = (Kit("#2456d8", "#facc15", "#1e2f6b", "#2456d8"), Kit("#6d28d9", "#f5f3ff", "#f5f3ff", "#6d28d9"))
_KEEPER = Kit("#f59e0b", "#1f2937", "#1f2937", "#f59e0b", "#1f2937")
_REFEREE = Kit("#2b2d33", "#a3e635", "#1f2024", "#2b2d33")
_SKINS = ("#f1c9a5", "#d9a37c", "#a66f4b", "#6b4530")
_HAIRS = ("#2a1d14", "#1a1412", "#6b4a2b", "#c9a25a")
_BOOTS = ("#16181d", "#f5f5f5", "#facc15", "#f97316", "#22d3ee")


class Match:
    """A match that can be drawn frame by frame; equal seeds draw equal pictures.

    Args:
        seed: kits, faces, crowd and formation.

    Attributes:
        width, height, fps: 1920, 1080 and 30.
        frame_count: of the clip, 300.
        tracks: where the hero and the ball are on every frame.
        story: everything that moves.
        stadium: everything that does not.
        goal_time: seconds, when the ball is in.
    """

    width, height, fps = WIDTH, HEIGHT, FPS
    frame_count = round(DURATION * FPS)
    goal_time = GOAL_TIME

    def __init__(self, *, seed: int = 0) -> None:
        import numpy as np

        self.seed = seed
        self.story = tell(seed=seed, fps=FPS)
        self._cameras = _follow(self.story)
        rng = np.random.default_rng([seed, 4])
        home, away = (kits[seed % 2] for kits in (_HOME, _AWAY))
        self.stadium = Stadium(_wide(self._cameras), seed=seed, home=home.shirt, away=away.shirt)
        kits = {"home": home, "away": away, "keeper": _KEEPER, "referee": _REFEREE}
        self._looks = [
            Look(
                kits[actor.team],
                _SKINS[rng.integers(len(_SKINS))],
                _HAIRS[rng.integers(len(_HAIRS))],
                _BOOTS[rng.integers(len(_BOOTS))],
                actor.number,
            )
            for actor in self.story.actors
        ]
        self.tracks = MatchTracks(
            width=WIDTH,
            height=HEIGHT,
            goal_time=GOAL_TIME,
            hero=tuple(self._see_hero(n) for n in range(self.frame_count)),
            ball=tuple(self._see_ball(n) for n in range(self.frame_count)),
        )

    def camera(self, n: int) -> Camera:
        """Where the camera looks on frame ``n``."""
        return self._cameras[n]

    def _see_hero(self, n: int) -> Outline:
        body = skeleton.joints(self.story, n)[HERO]
        left, top, right, bottom = players.outline(self._cameras[n], body)
        return _outline(n, (left + right) / 2, (top + bottom) / 2, right - left, bottom - top)

    def _see_ball(self, n: int) -> Outline:
        camera = self._cameras[n]
        x, y, depth = camera.project(self.story.ball[n]).tolist()
        size = 2 * BALL_RADIUS * camera.focal / depth
        return _outline(n, x, y, size, size)

    def draw(self, n: int, frame: Frame) -> None:
        """Paint frame ``n`` into ``frame``, 1920x1080 yuv420p."""
        import numpy as np

        story, camera = self.story, self._cameras[n]
        time = float(story.times[n])
        self.stadium.view(camera, frame, n, excited=time > GOAL_TIME + 0.1)
        bodies = skeleton.joints(story, n)
        far_to_near = [(float(body[skeleton.PELVIS, 1]), who) for who, body in enumerate(bodies)]
        ball = story.ball[n]
        rolled = float(np.hypot(*(np.diff(story.ball[: n + 1, :2], axis=0).T)).sum()) / BALL_RADIUS
        for _, who in sorted([*far_to_near, (float(ball[1]), -1)], reverse=True):
            if who < 0:
                draw_ball(frame, camera, ball, rolled * 0.35)
            else:
                players.draw_player(frame, camera, bodies[who], float(story.facing[n, who]), self._looks[who])


def _outline(n: int, x: float, y: float, width: float, height: float) -> Outline:
    """Return a box of frame ``n``, rounded to thousandths of a pixel."""
    x, y, width, height = (round(float(value), 3) for value in (x, y, width, height))
    return Outline(time=round(n / FPS, 6), x=x, y=y, width=width, height=height)


def _follow(story: Story) -> list[Camera]:
    """Where the camera looks on every frame: at the ball, then at the scorer, without haste."""
    import numpy as np

    scored = story.times > GOAL_TIME + 0.2
    look = np.where(scored[:, None], story.places[:, HERO], story.ball[:, :2])
    look[:, 0] = np.clip(look[:, 0] + 1.0, 60, 98)
    look[:, 1] = look[:, 1] * 0.45 + GOAL_Y * 0.55
    look = smooth(look, 0.55 * FPS)
    zoom = np.interp(story.times, [0, 3, 7, 8.2, 10], [3000, 3100, 3300, 3300, 3700])
    zoom = smooth(zoom[:, None], 0.4 * FPS)[:, 0]
    cameras = []
    for t, (x, y), focal in zip(story.times, look, zoom, strict=True):
        across, along = x - _PLACE[0], y - _PLACE[1]
        sway = 0.0008 * float(np.sin(1.7 * t) + np.sin(2.9 * t + 1))  # hands on the pan bar
        yaw = float(np.arctan2(across, along)) + sway
        tilt = float(np.arctan2(_PLACE[2] - 0.5, np.hypot(across, along))) + 0.03 + 0.6 * sway
        cameras.append(Camera(_PLACE, yaw, tilt, float(focal), WIDTH, HEIGHT))
    return cameras


def _wide(cameras: list[Camera]) -> Camera:
    """Return the camera of the picture that all of ``cameras`` are cut from."""
    import numpy as np

    yaws, tilts = [c.yaw for c in cameras], [c.tilt for c in cameras]
    middle = Camera(
        _PLACE,
        (min(yaws) + max(yaws)) / 2,
        (min(tilts) + max(tilts)) / 2,
        float(np.median([c.focal for c in cameras])),
        2,
        2,
    )
    reach = np.zeros(2)
    corners = np.array([[0, 0, 1], [WIDTH, 0, 1], [0, HEIGHT, 1], [WIDTH, HEIGHT, 1.0]])
    for camera in cameras[::5]:
        there = corners @ camera.homography_to(middle).T
        reach = np.maximum(reach, np.abs(there[:, :2] / there[:, 2:]).max(0))
    width, height = (int(2 * (r + 24)) // 2 * 2 for r in reach)
    return Camera(middle.position, middle.yaw, middle.tilt, middle.focal, width, height)


def film(
    match: Match,
    path: Path,
    *,
    settings: EncoderSettings | None = None,
    progress: ProgressCallback | None = None,
    check: Callable[[], None] | None = None,
) -> None:
    """Draw the whole match into an H.264 file with stereo AAC sound; it appears when it is whole.

    Args:
        match: what to draw.
        path: of the file, ending in ``.mp4``.
        settings: of the encoder; None: quick, and of good quality.
        progress: told after every frame.
        check: called before every frame; raises to stop.

    Raises:
        EncodeError: ffmpeg failed, or the file cannot be written.
        StorageError: the folder cannot be written.
    """
    from reelproc import Frame
    from reelproc.media.write.encoders import EncoderSettings
    from reelproc.media.write.writer import VideoWriter

    settings = settings or EncoderSettings(preset="superfast", crf=20, threads=2)
    with scratch_folder(beside=path) as folder:
        silent = folder / "silent.mp4"
        with VideoWriter(silent, width=WIDTH, height=HEIGHT, fps=Fraction(FPS), settings=settings) as writer:
            for n in range(match.frame_count):
                if check is not None:
                    check()
                frame = Frame.empty(WIDTH, HEIGHT, "yuv420p")
                match.draw(n, frame)
                writer.write(frame)
                if progress is not None:
                    progress(Progress(phase="draw", done=n + 1, total=match.frame_count))
            writer.finish()
        add_sound(silent, soundtrack(match.story, seed=match.seed, duration=DURATION), path)


def add_sound(video: Path, samples: NDArray[np.float64], path: Path) -> None:
    """Put ``video`` and (N, 2) ``samples`` together at ``path``."""
    import numpy as np

    pcm = np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    with whole_file(path, error=EncodeError) as partial:
        arguments = [
            *("-f", "s16le", "-ar", str(RATE), "-ac", "2", "-i", "pipe:0", "-i", file_argument(video)),
            *("-map", "1:v:0", "-map", "0:a:0", "-c:v", "copy", "-c:a", "aac", "-b:a", "192k"),
            *("-movflags", "+faststart", "-y", file_argument(partial)),
        ]
        with FFmpegProcess(arguments, stdin=True, error=EncodeError) as process:
            try:
                view = memoryview(pcm)
                while view:
                    view = view[process.stdin.write(view) :]
                process.stdin.close()
            except OSError as error:
                process.wait(STALL_SECONDS)
                raise process.failure(f"the sound could not be encoded ({error})") from error
            process.check()
