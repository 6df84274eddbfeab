"""Commands that hold other commands."""

from __future__ import annotations

from typing import Any

import click

from reelproc.suggestions import did_you_mean

__all__ = ["Group"]


class Group(click.Group):
    """Asks of a command that there is not whether another one was meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None and not ctx.resilient_parsing:
            known = self.list_commands(ctx)
            hint = did_you_mean(name, known) or f"; there are: {', '.join(known)}"
            ctx.fail(f"there is no command {name!r}{hint}")
        return super().resolve_command(ctx, args)

    def group(self, *args: Any, **options: Any) -> Any:
        return super().group(*args, **{"cls": Group, **options})
