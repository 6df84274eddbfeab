"""Group commands below another command."""

from __future__ import annotations

from typing import Any

import click

from reelproc.suggestions import did_you_mean


class Group(click.Group):
    """A group that suggests a command where a name is unknown."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or fail with the nearest name."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None and not ctx.resilient_parsing:
            known = self.list_commands(ctx)
            hint = did_you_mean(name, known) or f"; there are: {', '.join(known)}"
            ctx.fail(f"there is no command {name!r}{hint}")
        return super().resolve_command(ctx, args)

    def group(self, *args: Any, **options: Any) -> Any:
        """Make groups below this one suggest names too."""
        return super().group(*args, **{"cls": Group, **options})
