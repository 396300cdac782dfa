"""Campaigns: labelled request by request, their answers following from how they went."""

from __future__ import annotations

import re
from itertools import islice
from urllib.parse import unquote_plus

import numpy as np
import polars as pl
import pytest

from logvision.schema import Attack, Outcome, Stage
from logvision.sources.generate.campaigns import KINDS, OVERTURE, Campaigns, Plan, plans, write
from logvision.sources.generate.catalogue import Catalogue, compile_sites
from logvision.sources.generate.rows import SCHEMA
from logvision.sources.generate.sites import build

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return compile_sites(build(1), np.random.default_rng(1))


def written(catalogue: Catalogue, name: str, index: int = 40, seed: int = 1, lines: int = 60) -> pl.DataFrame:
    kind = next(kind for kind in KINDS if kind.name == name)
    return write(Plan(index, kind, 0, lines, 120.0), seed, catalogue).frame(0)


def many(catalogue: Catalogue, name: str, runs: int = 12) -> pl.DataFrame:
    return pl.concat(written(catalogue, name, index) for index in range(40, 40 + runs))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_labels_its_requests_from_the_closed_sets(catalogue: Catalogue, kind: object) -> None:
    rows = many(catalogue, kind.name, runs=4)  # type: ignore[attr-defined]
    attacks = rows.filter(pl.col("attack").is_not_null())
    assert attacks.height > rows.height * 0.7
    assert set(attacks["attack"]) <= {str(value) for value in Attack}
    assert set(attacks["outcome"]) <= {str(value) for value in Outcome}
    assert set(attacks["stage"]) <= {str(value) for value in Stage}
    assert rows["campaign"].n_unique() == 4
    assert rows["actor"].null_count() == 0
    assert rows.schema == SCHEMA


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_campaign_keeps_to_its_lines_and_time(catalogue: Catalogue, kind: object) -> None:
    rows = written(catalogue, kind.name)  # type: ignore[attr-defined]
    assert 50 <= rows.height <= 70
    assert rows["time"][-1] < 2 * 120_000_000
    assert rows["time"].is_sorted()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_campaign_can_be_written_on_any_single_site(kind: object) -> None:
    for name in ("shop", "blog", "app", "docs", "media"):
        only = compile_sites(build(1, (name,)), np.random.default_rng(1))
        assert set(written(only, kind.name)["host"]) == {only.sites[0].host}  # type: ignore[attr-defined]


def test_the_first_campaigns_of_a_run_come_within_a_minute_and_succeed(catalogue: Catalogue) -> None:
    rows = Campaigns(1, catalogue, 50.0, 0.02).requests(0, 60_000_000, 0)
    kinds = {re.sub(r"-\d+$", "", name) for name in rows["campaign"]}
    assert kinds == {name for name, _ in OVERTURE}
    worked = rows.filter(pl.col("outcome") == "worked")["campaign"].unique()
    assert len(worked) >= 3


def test_every_kind_comes_before_any_comes_twice() -> None:
    names = [plan.kind.name for plan in islice(plans(3, 50.0, 0.02), len(OVERTURE) + len(KINDS))]
    assert sorted(names[len(OVERTURE) :]) == sorted(kind.name for kind in KINDS)


def test_campaigns_keep_their_share_of_the_lines() -> None:
    planned = list(islice(plans(3, 50.0, 0.02), 400))
    share = sum(plan.lines for plan in planned[:-1]) / (50.0 * planned[-1].begin / 1_000_000)
    assert share == pytest.approx(0.02, rel=0.1)


def test_a_window_may_begin_in_the_middle_of_a_campaign(catalogue: Catalogue) -> None:
    running = Campaigns(1, catalogue, 50.0, 0.02)
    parts = [running.requests(at * 1_000_000, (at + 20) * 1_000_000, 0) for at in range(0, 200, 20)]
    late = Campaigns(1, catalogue, 50.0, 0.02).requests(100_000_000, 120_000_000, 0)
    assert late.equals(parts[5])


def test_an_obeyed_delay_takes_as_long_as_it_says(catalogue: Catalogue) -> None:
    rows = many(catalogue, "sqlmap").with_columns(pl.col("target").map_elements(unquote_plus, pl.String))
    asleep = rows.filter(pl.col("target").str.contains("SLEEP(5)", literal=True))
    obeyed = asleep.filter(pl.col("outcome") == "worked")
    ignored = asleep.filter(pl.col("outcome") != "worked")
    assert obeyed.height > 0
    assert ignored.height > 0
    assert obeyed["duration_us"].min() >= 5_000_000
    assert ignored["duration_us"].max() < 2_000_000


def test_a_boolean_pair_has_two_sizes_where_it_works_and_one_where_not(catalogue: Catalogue) -> None:
    rows = many(catalogue, "sqli-by-hand").with_columns(
        pl.col("target").map_elements(unquote_plus, pl.String)
    )
    pairs = rows.filter(pl.col("target").str.contains("AND '1'='"))
    for _, pair in pairs.group_by("campaign"):
        yes = pair.filter(pl.col("target").str.contains("'1'='1"))["bytes"][0]
        no = pair.filter(pl.col("target").str.contains("'1'='2"))["bytes"][0]
        if set(pair["outcome"]) == {"worked"}:
            assert yes > 2 * no
        else:
            assert abs(yes - no) <= 40


def test_a_traversal_that_works_gives_a_file_and_one_that_does_not_the_sites_own_404(
    catalogue: Catalogue,
) -> None:
    rows = many(catalogue, "traversal").filter(pl.col("attack").is_not_null())
    worked = rows.filter(pl.col("outcome") == "worked")
    missed = rows.filter(pl.col("outcome") == "missed")
    assert worked.height > 0
    assert set(worked["status"]) == {200}
    assert set(missed.select("status", "bytes").unique().rows()) == {(404, 153)}


def test_a_miss_on_the_single_page_application_is_its_soft_404() -> None:
    only = compile_sites(build(1, ("app",)), np.random.default_rng(1))
    rows = written(only, "directory-scan").filter(pl.col("outcome") == "missed")
    assert set(rows.select("status", "bytes").rows()) == {(200, 2_481)}


def test_an_uploaded_webshell_is_used_afterwards(catalogue: Catalogue) -> None:
    rows = many(catalogue, "webshell")
    worked = rows.filter(pl.col("outcome") == "worked")
    for _, steps in worked.group_by("campaign"):
        ordered = steps.sort("time")
        assert "connector.minimal.php" in ordered["target"][0]
        assert set(ordered["stage"][1:]) == {"foothold"}
        assert ordered["target"].str.contains(r"^/wp-content/uploads/.*\.php").sum() == ordered.height - 1


def test_log4shell_rides_in_agent_referer_query_and_path(catalogue: Catalogue) -> None:
    rows = many(catalogue, "log4shell")
    places = [rows[name].str.contains(r"\$(\{|%7B)").any() for name in ("user_agent", "referer", "target")]
    assert places == [True, True, True]


def test_distributed_probing_comes_from_one_24_and_no_address_does_much(catalogue: Catalogue) -> None:
    rows = written(catalogue, "distributed-probing")
    network = rows["actor"][0].removesuffix(".0/24")
    assert all(client.startswith(network + ".") for client in rows["client"])
    assert rows["client"].value_counts()["count"].max() <= 10


def test_stuffing_comes_from_many_addresses_and_seldom_fits(catalogue: Catalogue) -> None:
    rows = many(catalogue, "credential-stuffing")
    assert rows["client"].n_unique() > 100
    assert 0 < rows.filter(pl.col("outcome") == "worked").height < rows.height * 0.05


def test_a_false_googlebot_does_not_come_from_googles_network(catalogue: Catalogue) -> None:
    rows = many(catalogue, "fake-googlebot")
    assert rows["user_agent"].str.contains("Googlebot").all()
    assert not rows["client"].str.starts_with("66.249.").any()
