"""Who asks: a name that the server made up at the first visit, in a cookie that only the server can sign.

There are no passwords: whoever has the cookie is the user, whoever loses it is a new one. An app has its own accounts;
what matters here is that everything a request touches is looked up together with its user.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

__all__ = ["COOKIE", "COOKIE_SECONDS", "Users"]

COOKIE = "reelproc_user"
COOKIE_SECONDS = 365 * 86400


class Users:
    """Makes and checks tokens, ``<user>.<signature>``.

    Args:
        secret: the file of the key; made where it is not there.
    """

    def __init__(self, secret: Path) -> None:
        if not secret.exists():
            partial = secret.with_suffix(".part")
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(secrets.token_bytes(32))
            partial.replace(secret)
        self._key = secret.read_bytes()

    def new_token(self) -> str:
        """Return a token for a new user."""
        user = secrets.token_hex(8)
        return f"{user}.{self._signature(user)}"

    def user(self, token: str | None) -> str | None:
        """Return the user of ``token``; None if it was not made here."""
        user, _, signature = (token or "").partition(".")
        return user if hmac.compare_digest(signature.encode(), self._signature(user).encode()) else None

    def _signature(self, user: str) -> str:
        return hmac.new(self._key, user.encode(), hashlib.sha256).hexdigest()
