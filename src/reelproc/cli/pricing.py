"""Options of commands that count in dollars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reelproc.cli.completion import regions

if TYPE_CHECKING:
    from reelproc.prices import PriceTable


def pricing_options(command: click.decorators.FC) -> click.decorators.FC:
    """Add ``--region``, ``--prices`` and ``--calibration``, given as region, price_file and calibration_file."""
    for option in (
        click.option(
            "--region",
            metavar="KIND",
            shell_complete=regions,
            help="Modal's multiplier for a chosen region: broad, narrow.",
        ),
        click.option(
            "--prices", "price_file", metavar="FILE", help="A JSON file of prices; see reelproc prices --json."
        ),
        click.option(
            "--calibration", "calibration_file", metavar="FILE", help="Rates to use instead of your own calibration."
        ),
    ):
        command = option(command)
    return command


def price_table(price_file: str | None) -> PriceTable:
    """Read the prices that ``--prices`` names; None: the current ones."""
    from reelproc.prices import PRICES, current_prices, read_prices

    return current_prices() if price_file is None else read_prices(price_file, PRICES)
