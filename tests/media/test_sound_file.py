"""The sound's file: whole or not at all, exact in length, and still exact beside the picture in the finished video."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray

from processes import children, command_line, lives
from reelproc.errors import BackendError, EncodeError, JobCancelledError, SpecError
from reelproc.media.sound import tempo as audio_tempo
from reelproc.media.sound.mixing import render_sound
from reelproc.media.sound.sound_file import AAC_FRAME, MOVIE_TIMESCALE, add_sound_stream, sound_packets
from reelproc.media.sound.sound_plan import SoundPiece
from reelproc.timing import TimeMap
from sound_factory import RATE, bursts, level, onsets, tone, with_picture, write_wav
from waiting import LONG, eventually


def piece(path: Path, seconds: Fraction | int, speed: Fraction | int = 1) -> SoundPiece:
    time_map = TimeMap.from_speeds(Fraction(seconds), [(Fraction(0), Fraction(seconds), Fraction(speed))])
    return SoundPiece(str(path), 0, Fraction(0), time_map, Fraction(0), time_map.out_duration, time_zero=Fraction(0))


@pytest.fixture(scope="module")
def burst_wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_wav(tmp_path_factory.mktemp("bursts") / "bursts.wav", bursts(12.0)[0])


def heard(path: Path) -> NDArray[np.float32]:
    """What ffmpeg, which knows edit lists and paddings, makes of a file's sound."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-map", "0:a:0", "-f", "f32le", "-"]
    out = subprocess.run(command, check=True, capture_output=True, timeout=LONG).stdout
    return np.frombuffer(out, "<f4").reshape(-1, 2)


@pytest.mark.parametrize(
    "duration",
    [Fraction(1), Fraction(1601, 48_000), Fraction(1025, 48_000), Fraction(2002, 1001), Fraction(5 * 1001, 3000)],
    ids=str,
)
def test_the_file_holds_exactly_the_planned_samples(duration: Fraction, burst_wav: Path, tmp_path: Path) -> None:
    out = tmp_path / "sound.m4a"

    warnings = render_sound([piece(burst_wav, 12)], out, duration=duration)

    assert warnings == ()
    assert len(heard(out)) == round(duration * RATE)
    assert list(tmp_path.iterdir()) == [out]
    with av.open(str(out)) as container:
        (stream,) = container.streams
        assert (stream.codec_context.name, stream.codec_context.sample_rate) == ("aac", RATE)
        assert stream.codec_context.layout.name == "stereo"


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_copied_beside_a_picture_both_start_and_end_together(suffix: str, burst_wav: Path, tmp_path: Path) -> None:
    sound, video, out = tmp_path / "sound.m4a", tmp_path / "video.mp4", tmp_path / f"reel{suffix}"
    fps, frames = Fraction(30_000, 1001), 241
    render_sound([piece(burst_wav, 12)], sound, duration=frames / fps)
    _picture(video, fps, frames)

    options = {} if suffix == ".mkv" else {"movie_timescale": str(MOVIE_TIMESCALE), "movflags": "+faststart"}
    with (
        av.open(str(video)) as pictures,
        av.open(str(sound)) as source,
        av.open(str(out), "w", options=options) as reel,
    ):
        stream = reel.add_stream_from_template(pictures.streams.video[0])
        audio = add_sound_stream(source, reel)
        packets = [*_packets(pictures, stream), *sound_packets(source, audio)]
        for packet in sorted(packets, key=lambda p: p.dts * p.time_base):
            reel.mux(packet)

    samples = heard(out)
    planned = round(frames / fps * RATE)
    if suffix == ".mkv":  # Matroska says where sound begins, but here not where it ends within its last packet
        assert planned <= len(samples) < planned + AAC_FRAME
    else:
        assert len(samples) == planned
    with av.open(str(out)) as reel:
        picture, audio = reel.streams.video[0], reel.streams.audio[0]
        assert picture.start_time == audio.start_time == 0
        if suffix != ".mkv":
            ends = [stream.duration * stream.time_base for stream in (picture, audio)]
            assert abs(ends[0] - ends[1]) < Fraction(1, RATE)
        decoded = sum(frame.samples for frame in reel.decode(audio))
        assert abs(decoded - planned) < AAC_FRAME
    times = bursts(12.0)[1]
    assert np.abs(onsets(samples, times[times < 7.5])).max() < 0.001


def _picture(path: Path, fps: Fraction, frames: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        for n in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((54, 64), n % 256, np.uint8), format="yuv420p")
            frame.pts, frame.time_base = n, 1 / fps
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _packets(container: av.container.InputContainer, stream: av.VideoStream) -> Iterator[av.Packet]:
    for packet in container.demux(video=0):
        if packet.size:
            packet.stream = stream
            yield packet


def test_progress_rises_to_one(burst_wav: Path, tmp_path: Path) -> None:
    shares: list[float] = []

    render_sound([piece(burst_wav, 12)], tmp_path / "a.m4a", duration=Fraction(240), progress=shares.append)

    assert shares == sorted(shares)
    assert shares[0] > 0
    assert shares[-1] == 1.0


def test_a_reel_of_no_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="at least one sample"):
        render_sound([], tmp_path / "a.m4a", duration=Fraction(1, 100_000))


@contextmanager
def nothing_left(folder: Path) -> Iterator[None]:
    """No file and no process more than before."""
    files = set(folder.iterdir())
    yield
    assert set(folder.iterdir()) == files
    assert [child for child in children() if "ffmpeg" in command_line(child)] == []


@pytest.mark.parametrize("speed", [1, Fraction(1, 2)])
def test_cancelling_stops_soon_and_leaves_nothing(speed: Fraction, burst_wav: Path, tmp_path: Path) -> None:
    calls = 0

    def cancelled() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise JobCancelledError("enough")

    pieces = [piece(burst_wav, 6000, speed)]
    with nothing_left(tmp_path), pytest.raises(JobCancelledError):
        render_sound(pieces, tmp_path / "a.m4a", duration=Fraction(12_000), cancelled=cancelled)


def test_a_file_that_is_there_stays_until_the_new_one_is_whole(burst_wav: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.m4a"
    out.write_bytes(b"old")

    with nothing_left(tmp_path), pytest.raises(RuntimeError, match="stop"):
        render_sound([piece(burst_wav, 12)], out, duration=Fraction(12), cancelled=_stop)
    assert out.read_bytes() == b"old"

    render_sound([piece(burst_wav, 2)], out, duration=Fraction(2))
    assert len(heard(out)) == 2 * RATE


def _stop() -> None:
    raise RuntimeError("stop")


def test_a_place_that_cannot_be_written_is_a_typed_error(burst_wav: Path, tmp_path: Path) -> None:
    with pytest.raises(EncodeError, match=r"cannot be written.*No such file"):
        render_sound([piece(burst_wav, 1)], tmp_path / "no" / "a.m4a", duration=Fraction(1))
    (tmp_path / "folder.m4a").mkdir()
    with nothing_left(tmp_path), pytest.raises(EncodeError, match="cannot be moved"):
        render_sound([piece(burst_wav, 1)], tmp_path / "folder.m4a", duration=Fraction(1))


def test_a_full_disk_is_a_typed_error_and_leaves_nothing(burst_wav: Path, tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with nothing_left(tmp_path), pytest.raises(EncodeError, match="cannot be written"):
            render_sound([piece(burst_wav, 12)], tmp_path / "a.m4a", duration=Fraction(12))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


FAKE = """#!{python}
import sys, time
arguments = sys.argv[1:]
if "-version" in arguments:
    print("ffmpeg version 9.9 of the tests")
elif "-filters" in arguments:
    print(" .. {filters}        A->A       Stretch.")
else:
    {action}
"""


def fake_ffmpeg(folder: Path, action: str, filters: str = "rubberband") -> str:
    script = folder / "ffmpeg"
    script.write_text(FAKE.format(python=sys.executable, action=action, filters=filters))
    script.chmod(0o755)
    return str(script)


def test_an_ffmpeg_without_the_stretcher_is_told_before_anything_is_rendered(
    burst_wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REELPROC_FFMPEG", fake_ffmpeg(tmp_path, "sys.exit(1)", filters="atempo"))

    with pytest.raises(BackendError, match=r"0\.5 times the speed needs ffmpeg's filter 'rubberband'.*REELPROC_FFMPEG"):
        render_sound([piece(burst_wav, 1, Fraction(1, 2))], tmp_path / "a.m4a", duration=Fraction(2))
    render_sound([piece(burst_wav, 1)], tmp_path / "a.m4a", duration=Fraction(1))  # nothing to stretch, no need for it


def test_a_stretcher_that_fails_noisily_is_a_typed_error_not_a_hang(
    burst_wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = "sys.stderr.write('x' * 1000000 + '\\n[error] no luck\\n'); sys.exit(1)"
    monkeypatch.setenv("REELPROC_FFMPEG", fake_ffmpeg(tmp_path, action))

    with nothing_left(tmp_path), pytest.raises(EncodeError, match="no luck") as caught:
        render_sound([piece(burst_wav, 12, Fraction(1, 2))], tmp_path / "a.m4a", duration=Fraction(24))
    assert caught.value.returncode == 1


def test_a_stretcher_that_returns_too_little_is_a_typed_error(
    burst_wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REELPROC_FFMPEG", fake_ffmpeg(tmp_path, "sys.stdin.buffer.read(); sys.stdout.write('1234567')"))

    with pytest.raises(EncodeError, match="48000 samples too few"):
        render_sound([piece(burst_wav, Fraction(1, 2), Fraction(1, 2))], tmp_path / "a.m4a", duration=Fraction(1))


def test_a_stretcher_that_hangs_is_killed(burst_wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELPROC_FFMPEG", fake_ffmpeg(tmp_path, "time.sleep(600)"))
    monkeypatch.setattr(audio_tempo, "STALL_SECONDS", 0.5)

    with nothing_left(tmp_path), pytest.raises(EncodeError, match="neither read nor wrote"):
        render_sound([piece(burst_wav, 12, Fraction(1, 2))], tmp_path / "a.m4a", duration=Fraction(24))


SCRIPT = """
import sys
from fractions import Fraction
from reelproc.media.sound.mixing import SoundPiece, render_sound
from reelproc.timing import TimeMap
path, out, seconds, speed = sys.argv[1], sys.argv[2], Fraction(sys.argv[3]), Fraction(sys.argv[4])
time_map = TimeMap.from_speeds(seconds, [(Fraction(0), seconds, speed)])
whole = SoundPiece(path, 0, Fraction(0), time_map, Fraction(0), time_map.out_duration, time_zero=Fraction(0))
render_sound([whole], out, duration=time_map.out_duration)
import resource
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def decoders(pid: int) -> set[int]:
    """A process's children that decode sound: not those that are asked for ffmpeg's version and filters."""
    return {child for child in children(pid) if "f32le" in command_line(child)}


def test_a_killed_process_leaves_no_child_and_its_leftover_is_swept_up(burst_wav: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.m4a"
    arguments = [sys.executable, "-c", SCRIPT, str(burst_wav), str(out), "36000", "1/2"]
    with subprocess.Popen(arguments) as process:
        assert eventually(lambda: decoders(process.pid) and list(tmp_path.iterdir()), 60)
        orphans = decoders(process.pid)
        process.send_signal(signal.SIGKILL)

    assert orphans
    assert eventually(lambda: not any(lives(child) for child in orphans), 60)
    assert len(list(tmp_path.iterdir())) == 1
    render_sound([piece(burst_wav, 1)], out, duration=Fraction(1))
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length(burst_wav: Path, tmp_path: Path) -> None:
    def peak(seconds: int) -> int:
        arguments = [sys.executable, "-c", SCRIPT, str(burst_wav), str(tmp_path / "a.m4a"), str(seconds), "1"]
        return int(subprocess.run(arguments, check=True, capture_output=True, timeout=LONG).stdout)

    # 300 s of stereo floats are 115 MB
    assert peak(330) - peak(30) < 8_000


def test_many_clips_sound_one_after_the_other(tmp_path: Path) -> None:
    video = with_picture(tmp_path / "a.mp4", write_wav(tmp_path / "a.wav", tone(20.0, 500.0)), seconds=20)
    pieces = [
        SoundPiece(
            source=str(video),
            stream_index=1,
            source_start=Fraction(n % 19),
            time_map=TimeMap.identity(Fraction(1, 5)),
            out_start=Fraction(n, 5),
            out_duration=Fraction(1, 5),
            time_zero=Fraction(0),
        )
        for n in range(100)
    ]

    render_sound(pieces, tmp_path / "b.m4a", duration=Fraction(20))

    sound = heard(tmp_path / "b.m4a")
    assert len(sound) == 20 * RATE
    assert min(level(sound[n * RATE // 5 : (n + 1) * RATE // 5]) for n in range(100)) > 0.4
