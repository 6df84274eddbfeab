"""``reelproc costs``: what typical jobs cost, and where."""

from __future__ import annotations

import click

from reelproc.cli.common import common_options, say
from reelproc.cli.completion import executors
from reelproc.cli.pricing import price_table, pricing_options
from reelproc_lab.price_modes import MODES, Mode


@click.command()
@click.option(
    "--executor",
    "hardware",
    multiple=True,
    metavar="NAME",
    shell_complete=executors,
    help="Hardware to choose among; may be repeated.",
)
@pricing_options
@click.option(
    "--mode",
    type=click.Choice(MODES),
    default="billed",
    show_default=True,
    help="Prices as Modal bills, or as the highlight app's experiments had them.",
)
@common_options
def costs(
    hardware: tuple[str, ...],
    calibration_file: str | None,
    price_file: str | None,
    mode: Mode,
    region: str | None,
    as_json: bool,
) -> None:
    """Print the closing tables: the best hardware for each kind of job, what a frame costs, what workflows cost.

    They are Markdown, of typical jobs on a match in 1080p30, beside the figures of the highlight app's own
    experiments. Each says whether it was measured on that hardware or is predicted.
    """
    import reelproc as rp
    from reelproc_lab.closing_tables import RENTED, closing_tables

    tables = closing_tables(
        hardware or RENTED,
        calibration=rp.Calibration.load(calibration_file),
        prices=price_table(price_file),
        mode=mode,
        region=region,
    )
    say(tables, as_json=as_json, text=tables.markdown())
