"""Files joined of copied and encoded parts, in a browser: every place can be sought and played from."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from browser.chromium import Chromium

import reelproc as rp
from file_server import FileServer
from media_factory import numbered_video, read_number, tone
from reelproc.job_context import JobContext
from reelproc.jobs import run_job

SECONDS, FPS = 14, 30

SEEK = """
const [src, times] = given;
const video = document.createElement('video');
video.muted = true; video.preload = 'auto'; video.src = src;
const next = name => new Promise((resolve, reject) => {
  video.addEventListener(name, resolve, {once: true});
  video.addEventListener('error', () => reject(video.error.message), {once: true});
});
await next('canplay');
const canvas = document.createElement('canvas');
canvas.width = video.videoWidth; canvas.height = video.videoHeight;
const pictures = [];
for (const time of times) {
  const sought = next('seeked'); video.currentTime = time; await sought;
  await new Promise(resolve => video.requestVideoFrameCallback ? setTimeout(resolve, 50) : resolve());
  canvas.getContext('2d').drawImage(video, 0, 0);
  pictures.push(canvas.toDataURL('image/png').split(',')[1]);
}
return {duration: video.duration, pictures};
"""

PLAY = """
const [src, from, to] = given;
const video = document.createElement('video');
video.muted = true; video.src = src; document.body.append(video);
const failed = new Promise((_, reject) => video.addEventListener('error', () => reject(video.error.message)));
const shown = [];
video.currentTime = from;
const watch = (_, frame) => { shown.push(frame.mediaTime); video.requestVideoFrameCallback(watch); };
video.requestVideoFrameCallback(watch);
await Promise.race([video.play(), failed]);
const there = new Promise(resolve => { const look = () =>
  video.ended || video.currentTime >= to ? resolve() : setTimeout(look, 20); look(); });
await Promise.race([there, failed]);
const quality = video.getVideoPlaybackQuality();
return {shown, ended: video.ended, corrupted: quality.corruptedVideoFrames};
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A numbered source, a smart copy of it with a spotlight in its middle, and a reel of two segments."""
    folder = tmp_path_factory.mktemp("films")
    (folder / "page.html").write_text("<!doctype html><title>films</title>")
    source = folder / "source.mp4"
    numbered_video(source, frame_count=SECONDS * FPS, width=320, height=240, sound=tone(SECONDS), gop_size=FPS)
    keyframe = rp.HighlightKeyframe(time=0, x=160, y=225, radius_x=20, radius_y=10, opacity=0.2)
    region = rp.HighlightRegion(start_time=5.2, end_time=6.9, keyframes=[keyframe])
    clip = rp.Clip(source=source, stages=[rp.Overlay(effect="brightness_boost", regions=[region])])
    for name, smart_copy in (("copied.mp4", True), ("encoded.mp4", False)):
        reel = rp.Reel(clips=[clip], output=rp.Output(width=None, height=None, fps=None))
        result = run_job(rp.RenderJob(reel=reel, output=folder / name, smart_copy=smart_copy), JobContext())
        assert result.frame_count == SECONDS * FPS
        assert not result.warnings
    kinds = {segment.copied for segment in rp.plan(reel, smart_copy=True).segments}
    assert kinds == {True, False}
    return folder


@pytest.fixture
def page(browser: Chromium, folder: Path) -> Iterator[FileServer]:
    """A page on the films' own host, so that it may look at their pixels."""
    with FileServer(folder) as server:
        browser.open(server.url("page.html"))
        yield server


@pytest.mark.parametrize("name", ["copied.mp4", "encoded.mp4"])
def test_every_place_that_is_sought_shows_its_frame(browser: Chromium, page: FileServer, name: str) -> None:
    numbers = [0, 29, 30, 148, 149, 150, 151, 165, 200, 209, 210, 211, 239, 240, 299, 300, 301, 419]
    numbers += [210, 149, 300, 5]  # backwards as well
    answer = browser.run(SEEK, page.url(name), [(n + 0.5) / FPS for n in numbers])
    pictures = [cv2.imdecode(np.frombuffer(base64.b64decode(p), np.uint8), 1) for p in answer["pictures"]]
    assert [read_number(picture) for picture in pictures] == numbers
    assert answer["duration"] == pytest.approx(SECONDS, abs=1 / FPS)


@pytest.mark.parametrize("start", [4.5, 6.5, 9.5, 12.9])
def test_it_plays_on_over_every_join(browser: Chromium, page: FileServer, start: float) -> None:
    end = min(start + 1.5, float(SECONDS))
    answer = browser.run(PLAY, page.url("copied.mp4"), start, end)
    assert answer["corrupted"] == 0
    assert answer["shown"] == sorted(answer["shown"])
    assert answer["shown"][0] <= start + 0.5
    assert answer["shown"][-1] >= end - 0.5
    assert answer["ended"] == (end == SECONDS)
