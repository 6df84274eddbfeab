"""Names to implementations: ``"module:attribute"`` strings with an install hint, imported when first asked for.

Third parties add to a registry with an entry point in the registry's group, or with :meth:`Registry.register`.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from importlib import metadata
from operator import attrgetter
from typing import Generic, TypeVar, cast

from reelproc.errors import BackendError, MissingDependencyError, ReelprocError, SpecError
from reelproc.suggestions import did_you_mean

__all__ = ["Registry"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Entry:
    target: str
    extra: str | None


class Registry(Generic[T]):
    """Named implementations of one kind of thing.

    Args:
        kind: what the things are, for messages: ``"reader"``, ``"upscaler"``.
        group: the entry point group that third parties may register in.

    >>> readers = Registry[type]("ordered mapping", group="reelproc.doctest")
    >>> readers.register("ordered", "collections:OrderedDict")
    >>> readers.get("ordered").__name__
    'OrderedDict'
    >>> readers.names()
    ('ordered',)
    """

    def __init__(self, kind: str, *, group: str) -> None:
        self.kind = kind
        self.group = group
        self._entries: dict[str, _Entry] = {}
        self._scanned = False

    def register(self, name: str, target: str, *, extra: str | None = None) -> None:
        """Add or replace ``name``.

        Args:
            name: what users write.
            target: ``"package.module:attribute"``.
            extra: the extra of reelproc whose packages the module imports, if any.

        Raises:
            SpecError: ``target`` has no colon.
        """
        if ":" not in target:
            raise SpecError(f"a {self.kind} is registered as 'module:attribute', got {target!r}")
        self._entries[name] = _Entry(target, extra)

    def names(self) -> tuple[str, ...]:
        """Return all registered names, sorted."""
        self._scan()
        return tuple(sorted(self._entries))

    def __contains__(self, name: str) -> bool:
        return name in self._entries or name in self.names()

    def get(self, name: str) -> T:
        """Return the implementation called ``name``, imported now if it was not before.

        Raises:
            SpecError: no such name; the message lists those there are.
            MissingDependencyError: it needs a package that is not installed; the message names the extra.
            BackendError: the registered module fails when it is imported, or has no such attribute.
        """
        if name not in self._entries:
            self._scan()
        try:
            entry = self._entries[name]
        except KeyError:
            known = ", ".join(self.names()) or "none"
            meant = did_you_mean(name, self.names())
            raise SpecError(f"no {self.kind} is called {name!r}; there are: {known}{meant}") from None
        module, _, attribute = entry.target.partition(":")
        try:
            return cast("T", attrgetter(attribute)(importlib.import_module(module)))
        except ImportError as error:
            remedy = f"pip install 'reelproc[{entry.extra}]'" if entry.extra else f"install {error.name or module}"
            raise MissingDependencyError(
                f"the {self.kind} {name!r} needs a package that is not installed ({error}); {remedy}"
            ) from error
        except AttributeError as error:
            raise BackendError(f"the {self.kind} {name!r} is registered as {entry.target!r}: {error}") from error
        except ReelprocError:
            raise
        except (Exception, SystemExit) as error:
            raise BackendError(
                f"the {self.kind} {name!r} cannot be imported: {module} fails with {type(error).__name__}: {error}"
            ) from error

    def _scan(self) -> None:
        if self._scanned:
            return
        self._scanned = True
        for point in metadata.entry_points(group=self.group):
            target = point.value.partition("[")[0].strip()  # without extras
            self._entries.setdefault(point.name, _Entry(target, None))
