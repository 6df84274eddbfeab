"""Import the modules that only POSIX systems have, for all who need them, and say so once where they are missing.

File locks and resource usage come from here. On Windows the first name of reelproc that needs them says what to do.
"""

from __future__ import annotations

from reelproc.errors import MissingDependencyError

try:
    import fcntl
    import resource
except ImportError as error:
    raise MissingDependencyError(
        f"reelproc runs on Linux and macOS; this Python has no module {error.name!r}, as on Windows. "
        "On Windows run it in WSL or in Docker: see 'Windows and Docker' in the documentation (docs/how-to/docker.md)"
    ) from None

__all__ = ["fcntl", "resource"]
