"""Debian's Chromium, headless, driven over WebDriver (https://www.w3.org/TR/webdriver2/) with the standard library."""

from __future__ import annotations

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
            options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--mute-audio"]}
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
