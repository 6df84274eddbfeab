"""The example backend's page, used as a visitor uses it: from an upload to a reel that plays to its end."""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from browser.chromium import Chromium
from numpy.typing import NDArray

import reelproc as rp
from backend_server import ServerProcess
from media_factory import numbered_video, tone
from reelproc.keyframes import Curve
from reelproc.stages.base import StreamInfo, Target
from waiting import LONG

SECONDS, FPS, WIDTH, HEIGHT = 4, 30, 640, 360
WIDE, PHONE = (1280, 860), (390, 844)
RIGHT, DELETE = "\ue014", "\ue017"  # WebDriver's code points of keys


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "match.mp4"
    numbered_video(path, frame_count=SECONDS * FPS, width=WIDTH, height=HEIGHT, sound=tone(SECONDS))
    return path


@pytest.fixture(scope="module")
def server(browser: Chromium, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("backend") / "data", user_queue_limit=3) as server:
        yield server


class Page:
    """A visitor's window."""

    def __init__(self, browser: Chromium, server: ServerProcess) -> None:
        self.browser = browser
        self.server = server

    def open(self) -> None:
        self.browser.open(self.server.url)
        self.until("document.body && document.body.dataset.ready")

    def run(self, script: str, *arguments: object) -> Any:
        return self.browser.run(script, *arguments)

    def until(self, condition: str, seconds: float = LONG) -> Any:
        """What ``condition`` (JavaScript) is, as soon as it is something."""
        deadline = time.monotonic() + seconds
        while not (value := self.run(f"return {condition}")):
            said = self.run("return document.getElementById('alert')?.textContent")
            assert time.monotonic() < deadline, f"not within {seconds} s: {condition}; the page says {said!r}"
            time.sleep(0.05)
        return value

    def upload(self, path: Path) -> None:
        self.browser.type("#file", str(path))
        self.until("!document.getElementById('editor').hidden && document.getElementById('video').readyState >= 2")

    def seek(self, seconds: float) -> None:
        self.run(
            "const video = document.getElementById('video');"
            "const sought = new Promise(resolve => video.addEventListener('seeked', resolve, {once: true}));"
            "video.currentTime = given[0]; await sought; await new Promise(resolve => setTimeout(resolve, 50));",
            seconds,
        )

    def place(self, css: str, x: float = 0.5, y: float = 0.5) -> tuple[float, float]:
        """Where in the window a part of an element is, brought into view."""
        box = self.run(
            "const e = document.querySelector(given[0]); e.scrollIntoView({block: 'center', behavior: 'instant'});"
            "const b = e.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]",
            css,
        )
        return box[0] + x * box[2], box[1] + y * box[3]

    def drag(self, css: str, start: tuple[float, float], end: tuple[float, float], pointer: str = "mouse") -> None:
        """Drag from one place of an element to another, in shares of its size."""
        self.browser.drag(self.place(css, *start), self.place(css, *end), pointer=pointer)

    @property
    def draft(self) -> dict[str, Any]:
        kept = "Object.entries(localStorage).find(([key]) => key.startsWith('reelproc-draft-'))"
        return dict(self.run(f"return JSON.parse({kept}[1])"))

    def export(self) -> None:
        self.browser.click("#export")
        self.until("document.querySelector('.export')")

    def slow_down(self) -> None:
        """Make an export that takes some seconds, so that something can happen in its middle."""
        for second in range(SECONDS):
            self.seek(second)
            self.browser.click("#add-slow")
            self.run(
                "const e = document.getElementById('speed'); e.value = '0.25'; e.dispatchEvent(new Event('change'));"
            )


@pytest.fixture
def page(browser: Chromium, server: ServerProcess) -> Iterator[Page]:
    browser.resize(*WIDE)
    browser.colours("light")
    page = Page(browser, server)
    browser.open(f"{server.url}/icon.svg")
    browser.devtools("Network.clearBrowserCookies")  # a new visitor
    browser.run("localStorage.clear()")
    page.open()
    yield page
    browser.run("for (const b of document.querySelectorAll('.running .quiet, .queued .quiet')) b.click();")  # cancel


@pytest.fixture
def editor(page: Page, video: Path) -> Page:
    page.upload(video)
    return page


# ---- the whole way


def test_from_an_upload_to_a_reel_that_plays_to_its_end(editor: Page, tmp_path: Path) -> None:
    for second, x in ((0.5, 0.35), (2.5, 0.65)):
        before = 0.5 if second == 0.5 else 0.35
        editor.seek(second)
        editor.drag("#overlay", (before, 0.5), (x, 0.5))
    crop = editor.draft["crop"]["keyframes"]
    assert [k["time"] for k in crop] == [0.5, 2.5]
    centres = [(k["x"] + k["width"] / 2) / WIDTH for k in crop]
    assert centres == pytest.approx([0.35, 0.65], abs=0.01)
    assert crop[0]["width"] / crop[0]["height"] == pytest.approx(9 / 16, abs=0.001)

    editor.seek(1.5)
    editor.browser.click(".tool.spot")
    editor.browser.drag(editor.place("#overlay", 0.52, 0.3), editor.place("#overlay", 0.52, 0.4))
    (region,) = editor.draft["spotlight"]["regions"]
    assert (region["start_time"], region["end_time"]) == (0.5, 2.5)
    assert region["keyframes"][0]["y"] / HEIGHT == pytest.approx(0.4, abs=0.02)

    editor.seek(3)
    editor.browser.click("#add-slow")
    editor.drag('[aria-label="Start of the reel"]', (0.5, 0.5), (3.5, 0.5))
    start = editor.draft["start"]
    assert 0.05 < start < 0.5
    rows = editor.until("document.querySelectorAll('#estimate tbody tr').length")
    assert rows == 4
    shown = editor.run("return document.getElementById('estimate').textContent")
    assert "predicted" in shown
    assert "$0.0" in shown

    editor.browser.type("#title", "Great control")
    planned = round((SECONDS - start + 1) * FPS)
    editor.export()
    bar = "Number(document.querySelector('.export .bar').getAttribute('aria-valuenow'))"
    editor.until(f"{bar} > 10 || document.querySelector('.export.complete')")
    editor.until("document.querySelector('.export.complete .film video')")
    editor.until("document.querySelector('.film video').ended")
    assert (
        editor.run("return document.querySelector('.film video').getVideoPlaybackQuality().corruptedVideoFrames") == 0
    )
    assert "Great control" in editor.run("return document.querySelector('.export .name').textContent")
    assert f"{planned} frames" in editor.run("return document.querySelector('.export .what').textContent")

    reel = tmp_path / "reel.mp4"
    data = editor.run(
        "const answer = await fetch(document.querySelector('.film video').src);"
        "const bytes = new Uint8Array(await answer.arrayBuffer()); let text = '';"
        "for (let n = 0; n < bytes.length; n += 8192) text += String.fromCharCode(...bytes.subarray(n, n + 8192));"
        "return btoa(text)"
    )
    reel.write_bytes(base64.b64decode(data))
    assert rp.probe(reel, exact=True).frame_count == planned
    for second in (0.9, 1.5, 2.4):  # the preview is what was rendered, to the frame before or after: the grids differ
        editor.seek(second + 0.5 / FPS)
        preview = preview_of(editor)
        near = frames_at(reel, second - start)
        assert min(np.abs(preview - frame).mean() for frame in near) < 5


def preview_of(page: Page) -> NDArray[np.float32]:
    text = page.run("return document.getElementById('preview').toDataURL('image/png').split(',')[1]")
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_COLOR)
    return cv2.resize(picture, (90, 160), interpolation=cv2.INTER_AREA).astype(np.float32)


def frames_at(path: Path, second: float) -> list[NDArray[np.float32]]:
    with rp.open_video(path, start=max(0.0, second - 2 / FPS), end=second + 2.5 / FPS) as frames:
        return [cv2.resize(f.image, (90, 160), interpolation=cv2.INTER_AREA).astype(np.float32) for f in frames]


def test_an_export_is_cancelled(editor: Page) -> None:
    editor.slow_down()
    editor.export()
    editor.until("document.querySelector('.export.running')")
    editor.browser.click(".export .actions button")
    editor.until("document.querySelector('.export.cancelled')")
    assert editor.run("return document.querySelector('.export .badge').textContent") == "Cancelled"


def test_a_reload_in_the_middle_finds_the_export_and_the_draft_again(editor: Page) -> None:
    editor.slow_down()
    editor.export()
    editor.until("document.querySelector('.export.running')")
    before = editor.draft
    editor.open()
    editor.until("document.querySelector('.export.running')")
    assert editor.draft == before
    assert editor.run("return document.querySelectorAll('.speed .block').length") == SECONDS
    editor.until("document.querySelector('.export.complete')")


def test_a_server_that_dies_and_comes_back_is_waited_for(editor: Page, server: ServerProcess) -> None:
    editor.slow_down()
    editor.export()
    editor.until("document.querySelector('.export.running')")
    server.kill()
    server.start()
    editor.until("document.querySelector('.export.complete')")


def test_what_the_server_refuses_is_said(page: Page, tmp_path: Path) -> None:
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(b"no video at all" * 100)
    page.browser.type("#file", str(junk))
    page.until("!document.getElementById('alert').hidden")
    assert "no video" in page.run("return document.getElementById('alert').textContent")
    assert not page.run("return document.getElementById('start').hidden"), "and one can go on"


# ---- keys, fingers


def test_all_of_it_goes_by_keys(editor: Page) -> None:
    type_ = editor.browser.type
    type_("#overlay", "k")
    type_("#overlay", "...........")
    type_("#overlay", RIGHT * 3)
    first, second = editor.draft["crop"]["keyframes"]
    assert second["x"] - first["x"] == pytest.approx(3 * 0.005 * WIDTH, abs=0.1)
    assert second["time"] == pytest.approx(11 / FPS, abs=0.02)
    type_("#overlay", "-")
    assert editor.draft["crop"]["keyframes"][1]["width"] < second["width"]
    type_("#overlay", DELETE)
    assert len(editor.draft["crop"]["keyframes"]) == 1
    type_('[aria-label="Start of the reel"]', RIGHT * 6)
    assert editor.draft["start"] == pytest.approx(6 / FPS, abs=0.001)
    editor.browser.click("#add-slow")
    type_('[aria-label^="End of speed"]', RIGHT * 3)
    (slow,) = editor.draft["speed"]["segments"]
    assert slow["end"] - slow["start"] == pytest.approx(1 + 3 / FPS, abs=0.01)
    type_('[aria-label^="Speed 0.5"]', DELETE)
    assert editor.draft["speed"]["segments"] == []


def test_all_of_it_goes_by_touch_on_a_phone(editor: Page) -> None:
    editor.browser.resize(*PHONE)
    editor.drag("#overlay", (0.5, 0.5), (0.3, 0.5), "touch")
    (key,) = editor.draft["crop"]["keyframes"]
    assert (key["x"] + key["width"] / 2) / WIDTH == pytest.approx(0.3, abs=0.02)
    editor.drag("#overlay", ((key["x"] + key["width"]) / WIDTH, 0.99), (0.35, 0.8), "touch")
    assert editor.draft["crop"]["keyframes"][0]["width"] < key["width"], "pulled at a corner"
    editor.drag(".lane.trim", (0.99, 0.5), (0.75, 0.5), "touch")
    assert editor.draft["end"] == pytest.approx(3, abs=0.15)
    editor.drag('[aria-label="Crop keyframe 1"]', (0.5, 0.5), (4.5, 0.5), "touch")
    assert editor.draft["crop"]["keyframes"][0]["time"] > 0.3


def test_a_keyframe_and_a_spotlight_are_taken_away_again(editor: Page) -> None:
    editor.browser.click(".tool.spot")
    editor.browser.click("#add-key")
    editor.seek(3)
    editor.browser.click("#add-key")
    (region,) = editor.draft["spotlight"]["regions"]
    assert (region["start_time"], region["end_time"], len(region["keyframes"])) == (0, 3, 2)
    editor.browser.click("#delete")
    editor.browser.click('[aria-label="Spotlight keyframe 1"]')
    editor.browser.click("#delete")
    assert editor.draft["spotlight"]["regions"] == []


# ---- the page's arithmetic is the renderer's


def in_page(page: Page, script: str, *given: object) -> Any:
    return page.run(f"const t = await import('/tracks.js'); {script}", *given)


@pytest.mark.parametrize("method", ["linear", "catmull-rom"])
def test_interpolation_in_the_page_is_that_of_reelproc(page: Page, method: Any) -> None:
    draw = random.Random(method)
    for count in (1, 2, 3, 7):
        times = sorted(draw.uniform(-1, 9) for _ in range(count))
        rows = [[draw.uniform(-500, 2000) for _ in range(4)] for _ in times]
        at = [*times, *(draw.uniform(-2, 10) for _ in range(40))]
        track = Curve(times, rows, method)
        script = "const [times, rows, at, method] = given; return at.map(time => t.at(times, rows, time, method))"
        assert np.allclose(in_page(page, script, times, rows, at, method), [track.at(a) for a in at], rtol=0, atol=1e-9)


def test_the_window_in_the_page_is_that_of_the_crop(page: Page) -> None:
    draw = random.Random(7)
    stream = _stream()
    for count in (0, 1, 2, 5):
        keyframes = [
            {"time": n * 0.7, "x": draw.uniform(-50, 500), "y": draw.uniform(-50, 200)}
            | {"width": draw.uniform(100, 700), "height": draw.uniform(100, 400)}
            for n in range(count)
        ]
        for method in ("linear", "catmull-rom"):
            crop = rp.Crop.model_validate({"keyframes": keyframes, "interpolation": method})
            window = crop.window_at(stream, Target(540, 960, Fraction(30)))
            at = [draw.uniform(-1, 5) for _ in range(30)]
            draft = {"crop": {"keyframes": keyframes, "interpolation": method}, "width": 540, "height": 960}
            script = (
                "const [draft, width, height, at] = given;"
                "return at.map(time => t.cropAt(draft, {width, height}, time)).map(w => [w.x, w.y, w.width, w.height])"
            )
            shown = in_page(page, script, draft, WIDTH, HEIGHT, at)
            expected = [[w.x, w.y, w.width, w.height] for w in map(window, at)]
            assert np.allclose(shown, expected, rtol=0, atol=1e-6)


def _stream() -> StreamInfo:
    return StreamInfo(width=WIDTH, height=HEIGHT, duration=Fraction(SECONDS), pix_fmt="yuv420p")


def test_the_spotlight_in_the_page_is_that_of_the_overlay(page: Page) -> None:
    draw = random.Random(3)
    for start, end in ((0.5, 3.0), (1.0, 1.2)):
        keyframes = [
            {"time": time, "x": draw.uniform(0, 640), "y": draw.uniform(0, 360), "opacity": draw.uniform(0, 1)}
            | {"radius_x": draw.uniform(5, 90), "radius_y": draw.uniform(5, 90)}
            for time in (0.6, 1.1, 2.5)
        ]
        region = {"start_time": start, "end_time": end, "keyframes": keyframes}
        overlay = rp.Overlay.model_validate({"regions": [region]})
        path = overlay.spotlight_path(overlay.regions[0], _stream())
        at = [start, end, *(draw.uniform(start, end) for _ in range(30))]
        script = (
            "const [draft, at] = given; return at.map(time => t.spotlightAt(draft, time))"
            ".map(s => [s.x, s.y, s.radius_x, s.radius_y, s.opacity])"
        )
        shown = in_page(page, script, {"spotlight": {"regions": [region]}}, at)
        expected = [[*look.ellipse, look.effect] for look in map(path.at, at)]
        assert np.allclose(shown, expected, rtol=0, atol=1e-9)
        outside = "return [given[1] - 0.01, given[2] + 0.01].map(time => t.spotlightAt(given[0], time))"
        assert in_page(page, outside, {"spotlight": {"regions": [region]}}, start, end) == [None, None]


def test_the_length_in_the_page_is_the_plans(page: Page, video: Path) -> None:
    segments = [{"start": 0.0, "end": 1.5, "speed": 0.25}, {"start": 2.0, "end": 3.0, "speed": 2.0}]
    speed = rp.Speed.model_validate(
        {"segments": [{"start": 0, "end": 0.5, "speed": 0.25}, {"start": 1, "end": 2, "speed": 2}]}
    )
    plan = rp.plan(rp.Reel(clips=[rp.Clip(source=video, start=1, end=3.5, stages=[speed])]))
    draft = {"start": 1, "end": 3.5, "speed": {"segments": segments}}
    assert in_page(page, "return t.length(given[0])", draft) == pytest.approx(float(plan.duration), abs=1 / FPS)


# ---- how it looks

LOOKS = (Path(__file__).parent / "looks.js").read_text()


def check_looks(page: Page, name: str, look: Callable[[str, bytes], None]) -> None:
    for size, kind in ((WIDE, "wide"), (PHONE, "phone")):
        for scheme in ("light", "dark"):
            page.browser.resize(*size)
            page.browser.colours(scheme)
            page.run("scrollTo(0, 0); await new Promise(resolve => setTimeout(resolve, 400))")
            look(f"{name}-{kind}-{scheme}", page.browser.screenshot(whole=True))
            assert page.run(LOOKS) == [], f"{name}, {kind}, {scheme}"


def test_every_state_is_legible_wide_and_narrow_dark_and_light(page: Page, video: Path, tmp_path: Path) -> None:
    brightness: dict[str, float] = {}

    def look(name: str, png: bytes) -> None:
        (tmp_path / f"{name}.png").write_bytes(png)
        picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert picture.std() > 8, f"{name}: blank"
        brightness[name] = float(np.median(picture))

    check_looks(page, "start", look)
    page.browser.resize(*WIDE)
    page.upload(video)
    page.seek(1)
    page.drag("#overlay", (0.5, 0.5), (0.4, 0.5))
    page.seek(2)
    page.browser.click(".tool.spot")
    page.browser.click("#add-key")
    page.browser.click("#add-slow")
    page.until("document.querySelectorAll('#estimate tbody tr').length")
    check_looks(page, "editor", look)
    page.export()
    page.until("document.querySelector('.export.complete')")
    page.browser.resize(*WIDE)
    page.slow_down()
    page.browser.click("#export")
    page.until("document.querySelector('.export.running')")
    check_looks(page, "exports", look)
    for state in ("start", "editor", "exports"):
        for kind in ("wide", "phone"):
            assert brightness[f"{state}-{kind}-dark"] < 80 < 180 < brightness[f"{state}-{kind}-light"]
