"""The model: the same for a seed, in order, resumable at any chunk, and shaped like a day."""

from __future__ import annotations

import ipaddress
import itertools

import polars as pl
import pytest

from logvision.sources.generate.rows import SCHEMA
from logvision.sources.generate.traffic import Traffic

pytestmark = pytest.mark.slow

FRIDAY = 1_795_132_800_000_000  # 2026-11-20 00:00 UTC, µs


def taken(model: Traffic, count: int, first: int = 0) -> list[pl.DataFrame]:
    chunks = (rows for rows in model.chunks(first) if rows is not None)
    return list(itertools.islice(chunks, count))


@pytest.fixture(scope="module")
def model() -> Traffic:
    return Traffic(seed=5, per_second=40.0, start=FRIDAY, shaped=False, chunk_lines=4_000, visitors=4_000)


@pytest.fixture(scope="module")
def chunks(model: Traffic) -> list[pl.DataFrame]:
    return taken(model, 8)


def test_the_same_seed_gives_the_same_rows(model: Traffic, chunks: list[pl.DataFrame]) -> None:
    again = taken(
        Traffic(seed=5, per_second=40.0, start=FRIDAY, shaped=False, chunk_lines=4_000, visitors=4_000), 8
    )
    assert all(a.equals(b) for a, b in zip(chunks, again, strict=True))


def test_another_seed_gives_other_rows(chunks: list[pl.DataFrame]) -> None:
    other = Traffic(seed=6, per_second=40.0, start=FRIDAY, shaped=False, chunk_lines=4_000, visitors=4_000)
    assert not taken(other, 1)[0].equals(chunks[0])


@pytest.mark.parametrize("first", [1, 3, 7])
def test_a_run_that_begins_at_a_later_chunk_gives_that_chunk(
    model: Traffic, chunks: list[pl.DataFrame], first: int
) -> None:
    assert taken(model, 1, first)[0].equals(chunks[first])


def test_rows_have_the_declared_columns_and_come_in_order_of_time(chunks: list[pl.DataFrame]) -> None:
    whole = pl.concat(chunks)
    assert whole.schema == SCHEMA
    assert whole["time"].is_sorted()
    assert whole["time"][0] >= FRIDAY


def test_every_row_says_what_a_log_line_needs(chunks: list[pl.DataFrame]) -> None:
    needed = [
        "time",
        "host",
        "client",
        "user",
        "method",
        "target",
        "protocol",
        "status",
        "bytes",
        "referer",
        "user_agent",
    ]
    whole = pl.concat(chunks)
    assert whole.select(needed).null_count().sum_horizontal().item() == 0
    assert whole.filter((pl.col("bytes") < 0) | (pl.col("duration_us") < 0)).height == 0


def test_the_rate_and_the_share_of_attacks_hold(chunks: list[pl.DataFrame]) -> None:
    whole = pl.concat(chunks)
    assert whole.height == pytest.approx(8 * 4_000, rel=0.15)
    assert 0.01 < whole["attack"].count() / whole.height < 0.04


def test_without_attacks_no_row_belongs_to_a_campaign() -> None:
    calm = Traffic(seed=5, per_second=40.0, start=FRIDAY, attacks=False, chunk_lines=4_000, visitors=4_000)
    whole = pl.concat(taken(calm, 3))
    assert (
        whole.select("attack", "campaign", "outcome", "stage", "actor").null_count().row(0)
        == (whole.height,) * 5
    )


@pytest.mark.slow
def test_night_is_quiet_and_evening_is_busy() -> None:
    shaped = Traffic(seed=5, per_second=2.0, start=FRIDAY, attacks=False, chunk_lines=20_000, visitors=4_000)
    whole = pl.concat(taken(shaped, 9))
    by_hour = (
        whole.group_by(((pl.col("time") - FRIDAY) // 3_600_000_000).alias("hour")).len().sort("hour")["len"]
    )
    assert by_hour[20] > 3 * by_hour[4]


def test_a_referer_on_the_site_is_a_page_that_the_client_was_given_before(chunks: list[pl.DataFrame]) -> None:
    whole = pl.concat(chunks).filter(pl.col("campaign").is_null())
    asked = (
        whole.select(
            "client", url=pl.concat_str(pl.lit("https://"), pl.col("host"), pl.col("target")), seen="time"
        )
        .group_by("client", "url")
        .agg(pl.col("seen").min())
    )
    inner = whole.filter(
        pl.col("referer").str.starts_with("https://shop.example.com/")
        & (pl.col("time") > FRIDAY + 700_000_000)
    )
    known = inner.join(asked, left_on=["client", "referer"], right_on=["client", "url"], how="left")
    # What is typed ahead of a search asks before the search page itself does.
    late = known.filter(~pl.col("target").str.starts_with("/api/suggest"))
    assert late.height > 1_000
    assert late.filter(pl.col("seen").is_null()).height == 0


def test_sites_can_be_chosen(model: Traffic) -> None:
    two = Traffic(
        seed=5, per_second=40.0, start=FRIDAY, sites=("blog", "media"), chunk_lines=4_000, visitors=4_000
    )
    whole = pl.concat(taken(two, 2))
    assert set(whole["host"]) == {"blog.example.org", "media.example.net"}


def test_the_chunk_bounds_what_is_held_at_once() -> None:
    model = Traffic(seed=5, per_second=100.0, start=FRIDAY, shaped=False, chunk_lines=3_000, visitors=4_000)
    assert max(rows.height for rows in taken(model, 12)) < 2 * 3_000


def test_visitors_come_from_many_networks_and_are_public() -> None:
    model = Traffic(seed=9, per_second=40.0, start=FRIDAY, chunk_lines=8_000)
    clients = [ipaddress.ip_address(text) for text in pl.concat(taken(model, 2))["client"].unique()]
    assert all(address.is_global for address in clients)
    assert len({str(address).split(".")[0] for address in clients if address.version == 4}) > 60
    assert any(address.version == 6 for address in clients)


def test_texts_of_addresses_are_canonical(chunks: list[pl.DataFrame]) -> None:
    texts = pl.concat(chunks)["client"].unique().to_list()
    assert [str(ipaddress.ip_address(text)) for text in texts] == texts
