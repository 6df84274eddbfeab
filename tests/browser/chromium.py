"""Debian's Chromium, headless, driven over WebDriver (https://www.w3.org/TR/webdriver2/) with the standard library."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from types import TracebackType
from typing import Any, Self

import pytest

START_SECONDS = 60
SCRIPT_SECONDS = 60


class Chromium:
    """One browser; a context manager. Skips the test, with the reason, where it is not installed."""

    def __enter__(self) -> Self:
        driver = shutil.which("chromedriver")
        if driver is None or shutil.which("chromium") is None:
            pytest.skip("no chromium: apt-get install chromium chromium-driver")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._driver = subprocess.Popen(
            [driver, f"--port={self._port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            self._wait()
            options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--mute-audio", "--hide-scrollbars"]}
            options["args"].append("--autoplay-policy=no-user-gesture-required")
            capabilities = {
                "alwaysMatch": {"goog:chromeOptions": options, "timeouts": {"script": SCRIPT_SECONDS * 1000}}
            }
            self._session = self._call("POST", "/session", {"capabilities": capabilities})["sessionId"]
        except BaseException:
            self._driver.kill()
            self._driver.wait()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._call("DELETE", f"/session/{self._session}")
        finally:
            self._driver.terminate()
            self._driver.wait(10)

    def open(self, url: str) -> None:
        """Load a page."""
        self._call("POST", f"/session/{self._session}/url", {"url": url})

    def run(self, script: str, *arguments: object) -> Any:
        """What the body of an async function returns; what it throws fails the test."""
        body = (
            "const done = arguments[arguments.length - 1];"
            f"(async (...given) => {{{script}}})(...arguments)"
            ".then(value => done({value}), error => done({error: String(error)}));"
        )
        answer = self._call(
            "POST", f"/session/{self._session}/execute/async", {"script": body, "args": list(arguments)}
        )
        assert "error" not in answer, answer["error"]
        return answer.get("value")

    def resize(self, width: int, height: int) -> None:
        """Give the page a size, CSS pixels, whatever the window's least size is."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.devtools("Emulation.setDeviceMetricsOverride", **metrics)

    def colours(self, scheme: str) -> None:
        """Have the system prefer ``"dark"`` or ``"light"``."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.devtools("Emulation.setEmulatedMedia", features=features)

    def devtools(self, command: str, **parameters: object) -> Any:
        """A command of the Chrome DevTools protocol."""
        body = {"cmd": command, "params": parameters}
        return self._call("POST", f"/session/{self._session}/goog/cdp/execute", body)

    def screenshot(self, *, whole: bool = False) -> bytes:
        """What is to be seen, or the whole page, as PNG."""
        answer = self.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(answer["data"])

    def click(self, css: str) -> None:
        """Click the first element that matches, as a user would: it must be there to be hit."""
        self._call("POST", f"/session/{self._session}/element/{self._element(css)}/click", {})

    def type(self, css: str, text: str) -> None:
        """Type into an element; into a file input, the path of a file. Keys by their code points in WebDriver."""
        self._call("POST", f"/session/{self._session}/element/{self._element(css)}/value", {"text": text})

    def drag(self, start: tuple[float, float], end: tuple[float, float], *, pointer: str = "mouse") -> None:
        """Press at one place of the window, move to another, and let go; ``pointer`` may be ``"touch"``."""
        (x1, y1), (x2, y2) = start, end
        path = [(x1 + (x2 - x1) * n / 5, y1 + (y2 - y1) * n / 5) for n in range(1, 6)]
        moves = [{"type": "pointerMove", "x": round(x), "y": round(y), "duration": 20} for x, y in path]
        first = {"type": "pointerMove", "x": round(x1), "y": round(y1), "duration": 0}
        actions = [first, {"type": "pointerDown", "button": 0}, *moves, {"type": "pointerUp", "button": 0}]
        source = {"type": "pointer", "id": pointer, "parameters": {"pointerType": pointer}, "actions": actions}
        self._call("POST", f"/session/{self._session}/actions", {"actions": [source]})

    def _element(self, css: str) -> str:
        body = {"using": "css selector", "value": css}
        (element,) = self._call("POST", f"/session/{self._session}/element", body).values()
        return str(element)

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                if self._call("GET", "/status")["ready"]:
                    return
            except (ConnectionError, urllib.error.URLError):
                pass
            assert time.monotonic() < deadline, "chromedriver did not start"
            time.sleep(0.1)

    def _call(self, method: str, path: str, body: object = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=2 * SCRIPT_SECONDS) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"chromedriver: {error.read().decode()[:500]}") from None
