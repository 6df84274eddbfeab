"""An account's prices come through Modal's own client, here from the loopback."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from grpclib.const import Status

import reelproc as rp
from modal_service import ModalService
from reelproc.cli import app
from reelproc.executors.modal.account_prices import account_prices
from reelproc.prices import PRICES


@pytest.fixture
def rates(modal_service: ModalService) -> dict[str, str]:
    """The account's rates, to be filled."""
    if modal_service.server is None:
        pytest.skip("the real Modal has rates of its own, which nobody here may set")
    modal_service.server.state.rates.clear()
    return modal_service.server.state.rates


def test_the_accounts_rates_replace_the_list_prices(rates: dict[str, str]) -> None:
    rates.update({"gpu_t4": "0.000148", "cpu_core": "0.0471", "memory_gib": "0.00000222", "volume": "0.1"})
    table = account_prices()
    assert table.gpus["T4"].usd_per_second == pytest.approx(0.000148)
    assert table.core.usd_per_second == pytest.approx(0.0471 / 3600)
    assert table.gpus["L4"] == PRICES.gpus["L4"]


def test_the_command_prints_a_price_file(rates: dict[str, str]) -> None:
    rates["gpu_l4"] = "0.0002"
    result = CliRunner().invoke(app, ["prices", "--account", "--json"])
    assert json.loads(result.stdout)["gpus"]["L4"]["usd_per_second"] == 0.0002


def test_an_account_that_does_not_answer_is_an_executor_error(
    rates: dict[str, str], modal_service: ModalService
) -> None:
    assert modal_service.server is not None
    modal_service.server.faults["WorkspaceBillingRates"] += [Status.PERMISSION_DENIED]
    with pytest.raises(rp.ExecutorError, match="does not tell the account's rates"):
        account_prices()


def test_rates_that_say_nothing_are_an_executor_error(rates: dict[str, str]) -> None:
    with pytest.raises(rp.ExecutorError, match="there are none"):
        account_prices()
