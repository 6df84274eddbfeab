"""What a name or a file's content could smuggle in: every name is a file's name, and no file opens another."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest

import reelproc as rp
from hostile import attempt, nothing_left
from media_factory import MadeVideo, numbered_video
from reelproc.errors import ObjectNotFoundError, ProbeError, ReelprocError, SpecError, StorageError
from reelproc.jobs import run_job
from reelproc.storage import scheme_of

FRAMES = 5

NAMES = [
    "-i.mp4",
    "--help.mp4",
    "two words.mp4",
    " .mp4",
    'it\'s "quoted".mp4',
    "line\nbreak.mp4",
    "tab\tand\x01.mp4",
    "100%d.mp4",
    "img%03d.mp4",
    "%s%n%p.mp4",
    "$(touch pwned).mp4",
    "`touch pwned`;touch pwned&.mp4",
    "~.mp4",
    "*?[a].mp4",
    "back\\slash.mp4",
    "a,b;c[d]=e':f.mp4",
    "süß-日本語-العربية-🎬.mp4",
    "e\u0301 decomposed.mp4",
    "concat:a.mp4|b.mp4",
    "http:x.mp4",
    "file:x.mp4",
    "pipe:1.mp4",
    "subfile,,start,0,end,0,,:x.mp4",
    "data:video,x.mp4",
    "crypto:x.mp4",
    "lavfi:color.mp4",
    "s3:bucket.mp4",
    "@response.mp4",
    "#!x.mp4",
    ".part.mp4",
    "x" * 251 + ".mp4",
]


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> MadeVideo:
    return numbered_video(tmp_path_factory.mktemp("safety") / "plain.mp4", frame_count=FRAMES, width=96, height=64)


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> MadeVideo:
    return numbered_video(tmp_path_factory.mktemp("safety") / "plain.ts", frame_count=FRAMES, width=96, height=64)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the current one: names are used as they are, without a path in front."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_a_files_name(name: str, video: MadeVideo, folder: Path) -> None:
    Path(name).write_bytes(video.path.read_bytes())
    out = f"{name[:-4][:240]} out.mp4"
    with nothing_left(folder, out):
        assert rp.probe(name).video is not None
        for backend in ("ffmpeg", "pyav", "opencv"):
            with rp.open_video(name, backend=backend) as reader:
                assert sum(1 for _ in reader) == FRAMES, backend
        assert attempt(name, out, audio=True).numbers == list(range(FRAMES))
    assert {path.name for path in folder.iterdir()} == {name, out}


def test_a_name_that_is_no_unicode_is_read_or_refused_by_a_type(video: MadeVideo, folder: Path) -> None:
    name = os.fsdecode(b"caf\xe9.mp4")
    Path(name).write_bytes(video.path.read_bytes())
    for act in (
        lambda: rp.probe(name),
        lambda: list(rp.open_video(name)),
        lambda: rp.RenderJob(reel=rp.Reel(clips=[rp.Clip(source=name)]), output="out.mp4"),
    ):
        with nothing_left(folder):
            try:
                act()
            except ReelprocError as error:
                said = error
            else:
                continue
        assert type(said) is not ReelprocError
        assert str(said).encode()


@pytest.mark.parametrize(
    "name",
    [
        "concat:plain.mp4|plain.mp4",
        "subfile,,start,0,end,0,,:plain.mp4",
        "file:plain.mp4",
        "cache:plain.mp4",
        "async:plain.mp4",
        "data:video/mp4;base64,AAAA",
        "http://127.0.0.1:{port}/plain.mp4",
        "https://127.0.0.1:{port}/plain.mp4",
        "tcp://127.0.0.1:{port}",
        "rtsp://127.0.0.1:{port}/x",
        "lavfi:testsrc",
        "pipe:0",
        "fd:0",
        "-",
        "%d.mp4",
        "plain.mp*",
        "~/plain.mp4",
        "$HOME/plain.mp4",
    ],
)
def test_what_ffmpeg_would_take_for_more_than_a_name_is_no_file(
    name: str, video: MadeVideo, folder: Path, server: tuple[int, list[object]]
) -> None:
    port, visitors = server
    Path("plain.mp4").write_bytes(video.path.read_bytes())
    Path("1.mp4").write_bytes(video.path.read_bytes())
    name = name.format(port=port)
    with nothing_left(folder):
        acts: list[Callable[[], object]] = [lambda: rp.probe(name), lambda: list(rp.open_video(name))]
        if scheme_of(name) not in ("http", "https"):  # a job reads these by our own code: see test_remote_jobs.py
            acts.append(lambda: _job(name))
        for act in acts:
            with pytest.raises((ObjectNotFoundError, SpecError)):
                act()
    assert not visitors


def _job(source: str) -> None:
    run_job(rp.RenderJob(reel=rp.Reel(clips=[rp.Clip(source=source)]), output="out.mp4"))


@pytest.fixture
def server() -> Iterator[tuple[int, list[object]]]:
    """A port on this machine, and who called there."""
    visitors: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                try:
                    connection, address = listening.accept()
                except TimeoutError:
                    continue
                visitors.append(address)
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1], visitors
        stop.set()
        thread.join()


HLS = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\n{target}\n#EXT-X-ENDLIST\n"
SMUGGLED = {
    "HLS, a file beside it": HLS.replace("{target}", "secret.ts"),
    "HLS, a file by its path": HLS.replace("{target}", "file://{folder}/secret.ts"),
    "HLS, a file in pieces": HLS.replace("{target}", "concat:header.txt|file://{folder}/secret.ts"),
    "HLS, a part of a file": HLS.replace("{target}", "subfile,,start,0,end,1000,,:{folder}/secret.ts"),
    "HLS, the network": HLS.replace("{target}", "http://127.0.0.1:{port}/x.ts"),
    "HLS, a key from the network": HLS.replace(
        "#EXTINF", '#EXT-X-KEY:METHOD=AES-128,URI="http://127.0.0.1:{port}/key"\n#EXTINF'
    ).replace("{target}", "secret.ts"),
    "HLS, variants": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nsecret.m3u8\n",
    "a concat script": "ffconcat version 1.0\nfile secret.ts\n",
    "a concat script with a path": "ffconcat version 1.0\nfile 'file:{folder}/secret.ts'\n",
    "a concat script with options": "ffconcat version 1.0\nfile secret.ts\noption protocol_whitelist file,http\n",
    "SDP": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    "m=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    "DASH": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
    'mediaPresentationDuration="PT1S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1">'
    "<BaseURL>http://127.0.0.1:{port}/x.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>",
    "Smooth Streaming": '<SmoothStreamingMedia MajorVersion="2" Duration="1"><StreamIndex Type="video"/>'
    "</SmoothStreamingMedia>",
    "IMF": '<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016"/>',
    "an RTSP link": "rtsptext\nrtsp://127.0.0.1:{port}/x\n",
    "an ASX list": '<asx version="3.0"><entry><ref href="http://127.0.0.1:{port}/x"/></entry></asx>',
    "a PLS list": "[playlist]\nFile1=secret.ts\nNumberOfEntries=1\n",
    "a subtitle script": "Script=DVDSubtitle\nVPlayer\n",
    "a vapoursynth or avisynth script": 'AVISource("secret.ts")\n',
}


@pytest.mark.parametrize("ending", ["mp4", "m3u8"])
@pytest.mark.parametrize("kind", SMUGGLED)
def test_a_file_that_names_other_files_is_refused(
    kind: str, ending: str, stream: MadeVideo, folder: Path, server: tuple[int, list[object]]
) -> None:
    port, visitors = server
    Path("secret.ts").write_bytes(stream.path.read_bytes())
    Path("secret.m3u8").write_text(HLS.format(target="secret.ts"))
    name = f"innocent.{ending}"
    Path(name).write_text(SMUGGLED[kind].format(folder=folder, port=port))
    with nothing_left(folder):
        with pytest.raises(ProbeError, match="media file"):
            rp.probe(name)
        with pytest.raises(ProbeError):
            list(rp.open_video(name))
        with pytest.raises(ProbeError):
            _job(name)
    assert not visitors


def test_a_decoder_that_is_given_a_playlist_refuses_it_by_itself(
    video: MadeVideo, stream: MadeVideo, folder: Path
) -> None:
    """The file is probed before it is decoded; one that is changed in between must not get through either."""
    info = rp.probe(video.path)
    Path("secret.ts").write_bytes(stream.path.read_bytes())
    (folder / "game.mp4").write_text(HLS.format(target="secret.ts"))
    for backend in ("ffmpeg", "pyav"):
        with pytest.raises(ReelprocError), rp.open_video("game.mp4", backend=backend, info=info) as reader:
            list(reader)


def test_a_pattern_of_pictures_is_no_video(folder: Path) -> None:
    import cv2

    for number in range(3):
        cv2.imwrite(f"img{number:03d}.png", np.full((64, 96, 3), 50 * number, np.uint8))
    with pytest.raises(ObjectNotFoundError):
        rp.probe("img%03d.png")
    Path("img%03d.png").write_bytes(Path("img000.png").read_bytes())
    with pytest.raises(ProbeError):
        rp.probe("img%03d.png")


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize(
    "name", ["out%03d", "-y", "tee:[f=mpegts]udp", "segment:%d|x", "http:out", "a'b\"c\nd", "日本🎬"]
)
def test_a_result_goes_into_the_one_file_that_is_named(name: str, suffix: str, video: MadeVideo, folder: Path) -> None:
    outcome = attempt(video.path, name + suffix, audio=True)
    assert outcome.numbers == list(range(FRAMES))
    assert [path.name for path in folder.iterdir()] == [name + suffix]


@pytest.mark.parametrize("name", ["out", "out.exe", "out.m3u8", "out.mp4.", "out.%d", "out.tee", "", "a\0b.mp4"])
def test_a_result_in_no_known_container_is_refused(name: str, video: MadeVideo, folder: Path) -> None:
    with nothing_left(folder), pytest.raises((SpecError, StorageError)):
        run_job(rp.RenderJob(reel=rp.Reel(clips=[rp.Clip(source=str(video.path))]), output=name))


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("%{pts}", "#{pts}"),
        ("%%", "%"),
        ("\\n\\:", "n:"),
        ("a':x=0", "a:x=0"),
        ("$(id)", "(id)"),
        ("{0}{{", "0{"),
        ("<b>&lt;", "<"),
        ("#!x", "x"),
    ],
)
def test_text_is_drawn_as_it_stands(text: str, other: str, video: MadeVideo, folder: Path) -> None:
    """Were any of it expanded, escaped or left out, it would change from frame to frame or look like the other text."""

    def drawn(content: str) -> list[np.ndarray]:
        spec = rp.TextSpec(text=content, size=0.2, position=rp.TextPosition(y=0.15))
        element = rp.TextElement(spec=spec)
        stage = rp.Text(regions=[rp.TextRegion(start_time=0, end_time=9, elements=[element])])
        size = {"width": 384, "height": 256}
        stages = (rp.Upscale(model="lanczos", **size), stage)
        assert attempt(video.path, "out.mp4", stages=stages, crf=0, **size).result is not None
        with av.open("out.mp4") as container:
            return [frame.to_ndarray(format="gray")[10:70] > 225 for frame in container.decode(video=0)]

    frames = drawn(text)
    assert frames[0].any()
    drawn_area = frames[0].mean()
    assert all((frames[0] ^ frame).mean() < 0.1 * drawn_area for frame in frames)
    assert (frames[0] ^ drawn(other)[0]).mean() > 0.2 * drawn_area


def test_nothing_goes_through_a_shell() -> None:
    package = Path(rp.__file__).parent
    found = [
        f"{path.relative_to(package)}: {line.strip()}"
        for path in package.rglob("*.py")
        for line in path.read_text().splitlines()
        if re.search(r"shell\s*=\s*True|os\.(system|popen)\(|getoutput\(|create_subprocess_shell", line)
    ]
    assert found == []
