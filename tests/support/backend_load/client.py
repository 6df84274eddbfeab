"""A user of the server who does not give up, for :mod:`backend_load`."""

from __future__ import annotations

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend_server import ServerProcess

__all__ = ["Client", "over"]

DEADLINE_SECONDS = 900.0


@dataclass
class Client:
    """One user; a request whose answer is lost (the server was killed) is sent again under the same key."""

    server: ServerProcess
    token: str = ""
    repeated: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            named = {**headers, "Authorization": f"Bearer {self.token}"}
            request = urllib.request.Request(self.server.url + path, data=body, method=method, headers=named)
            try:
                with urllib.request.urlopen(request, timeout=120) as answer:
                    return answer.status, json.load(answer)
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, json.loads(error.read() or b"null")
            except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError):
                if time.monotonic() > deadline:
                    raise
                with self.lock:
                    self.repeated += 1
                time.sleep(0.2)

    def sign_in(self) -> None:
        """Become somebody."""
        self.token = self.call("POST", "/api/session")[1]["token"]

    def upload(self, path: Path) -> tuple[int, Any]:
        """Send a video."""
        return self.call("POST", f"/api/sources?name={path.name}", path.read_bytes())

    def export(self, source: str, number: int, *, width: int, seconds: float) -> tuple[int, Any]:
        """Ask for one reel; each moves along another path, so that no two are the same."""
        keyframes = [
            {"time": t, "x": 20 + 3 * (number % 40) + 40 * t, "y": 0, "width": 202.5, "height": 360} for t in (0, 2)
        ]
        draft = {"source": source, "start": 0, "end": seconds, "width": width, "height": width * 16 // 9 // 2 * 2}
        body = {"draft": {**draft, "crop": {"keyframes": keyframes}}, "title": f"reel {number}"}
        headers = {"Content-Type": "application/json", "Idempotency-Key": f"load-{number}"}
        return self.call("POST", "/api/exports", json.dumps(body).encode(), **headers)

    def wait(self, until: Callable[[Counter[str]], bool], seconds: float = DEADLINE_SECONDS) -> list[dict[str, Any]]:
        """All exports, as soon as ``until`` says so of how many there are by status.

        Raises:
            TimeoutError: it never did.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            seen: list[dict[str, Any]] = self.call("GET", "/api/exports?limit=500")[1]
            if until(Counter(each["status"] for each in seen)):
                return seen
            time.sleep(0.2)
        raise TimeoutError(f"after {seconds:.0f} s: {Counter(each['status'] for each in seen)}")


def over(statuses: Counter[str]) -> bool:
    """Whether no export waits or runs."""
    return not statuses["queued"] and not statuses["running"]
