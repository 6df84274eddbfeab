"""Prices: what a second costs, where each number is from, and how others are put in its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import reelproc as rp
from reelproc.executors.modal.account_prices import prices_from_rates
from reelproc.prices import PRICES, current_prices, read_prices


def test_every_price_says_where_and_when_it_was_read() -> None:
    every = [*PRICES.gpus.values(), PRICES.core, PRICES.gib, PRICES.own_machine]
    assert all(price.source and price.read for price in every)
    assert all(region.source and region.multiplier >= 1 for region in PRICES.regions.values())


def test_gpu_cores_and_memory_add_up() -> None:
    rate = PRICES.usd_per_second(gpu="L4", cores=4, memory_bytes=16 << 30)
    assert rate == pytest.approx(0.000222 + 4 * 0.0000131 + 16 * 0.00000222)


@pytest.mark.parametrize(("used", "billed"), [(1.0, 4.0), (4.0, 4.0), (6.5, 6.5)])
def test_the_greater_of_request_and_use_is_billed(used: float, billed: float) -> None:
    cores = PRICES.usd_per_second(cores=4, used_cores=used)
    assert cores == pytest.approx(billed * 0.0000131)
    memory = PRICES.usd_per_second(memory_bytes=4 << 30, used_memory_bytes=used * (1 << 30))
    assert memory == pytest.approx(billed * 0.00000222)


def test_a_region_multiplies_everything() -> None:
    anywhere = PRICES.usd_per_second(gpu="T4", cores=4, memory_bytes=1 << 30)
    assert PRICES.usd_per_second(gpu="T4", cores=4, memory_bytes=1 << 30, region="broad") == pytest.approx(
        1.5 * anywhere
    )
    with pytest.raises(rp.SpecError, match=r"no region is called 'moon'.*broad"):
        PRICES.usd_per_second(gpu="T4", region="moon")


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    price = {"usd_per_second": 0.0001, "source": "contract", "read": "2026-11"}
    file.write_text(json.dumps({"gpus": {"T4": price, "B200": price}, "core": price}))
    table = read_prices(file, PRICES)
    assert table.usd_per_second(gpu="T4", cores=1) == pytest.approx(0.0002)
    assert table.usd_per_second(gpu="B200") == 0.0001
    assert table.gpus["L4"] == PRICES.gpus["L4"]
    assert table.gpus["T4"].source == "contract"


def test_the_environment_names_a_price_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REELPROC_PRICES", raising=False)
    assert current_prices() == PRICES
    file = tmp_path / "prices.json"
    file.write_text(PRICES.with_rates({"T4": 0.5}, source="test", read="now").model_dump_json())
    monkeypatch.setenv("REELPROC_PRICES", str(file))
    assert current_prices().usd_per_second(gpu="T4") == 0.5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"gpu": {}}', "gpu: there is no such field"),
        ('{"core": {"usd_per_second": -1, "source": "", "read": ""}}', "core.usd_per_second"),
        ("no json", "JSON"),
    ],
)
def test_a_bad_price_file_says_what_is_wrong(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "prices.json"
    file.write_text(content)
    with pytest.raises(rp.SpecError, match=message):
        read_prices(file, PRICES)


def test_a_missing_price_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(rp.ObjectNotFoundError, match="no price file"):
        read_prices(tmp_path / "prices.json", PRICES)


@pytest.mark.parametrize(
    ("name", "rate"),
    [("T4", 0.00015), ("gpu_t4", 0.54), ("gpu-t4-hourly", 0.54), ("GPU T4 (per second)", 0.00015)],
)
def test_an_accounts_rates_are_understood_by_name_and_unit(name: str, rate: float) -> None:
    table = prices_from_rates({name: rate, "cpu_core": 0.04716, "Memory GiB": 0.000002, "volume_gib_month": 0.09})
    assert table.gpus["T4"].usd_per_second == pytest.approx(0.00015)
    assert table.core.usd_per_second == pytest.approx(0.0000131)
    assert table.gib.usd_per_second == pytest.approx(0.000002)
    assert table.gpus["L4"] == PRICES.gpus["L4"]
    assert "account" in table.core.source


def test_a_rate_whose_unit_cannot_be_told_is_refused() -> None:
    with pytest.raises(rp.ExecutorError, match="neither per second nor per hour"):
        prices_from_rates({"gpu_t4": 0.01})
    with pytest.raises(rp.ExecutorError, match="none of the account's rates is understood: seats"):
        prices_from_rates({"seats": 3.0})


def test_names_of_gpus_that_contain_one_another_are_told_apart() -> None:
    table = prices_from_rates({"gpu_a100_80gb": 0.0006, "gpu_a10": 0.0003, "gpu_l40s": 0.0005, "gpu_l4": 0.0002})
    assert table.gpus["A100-80GB"].usd_per_second == 0.0006
    assert table.gpus["A10"].usd_per_second == 0.0003
    assert table.gpus["L40S"].usd_per_second == 0.0005
    assert table.gpus["L4"].usd_per_second == 0.0002
    assert table.gpus["A100-40GB"] == PRICES.gpus["A100-40GB"]
