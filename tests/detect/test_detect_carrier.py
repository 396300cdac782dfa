"""The same half of a proof in parameters of different kinds."""

from __future__ import annotations

import pytest
from detect_verdicts import attack

from logvision.detect import Detector
from logvision.detect.carrier import (
    ALONE,
    BY_ITSELF,
    CLOSED,
    OTHER,
    SOUGHT,
    STATED,
    WRITTEN,
    Carriers,
    weight,
    weights,
)
from logvision.detect.explain import explain
from logvision.detect.fusion import Verdict
from logvision.detect.tracks import SURE
from logvision.schema import Attack


@pytest.mark.parametrize("value", ["SELECT+name+FROM+customers", "1+and+1", "%3Cp+class%3Da%3E"])
def test_half_a_proof_is_one_where_a_number_belongs_and_none_in_a_search(
    detector: Detector, value: str
) -> None:
    assert attack(detector, f"/item?id={value}") is not None
    assert attack(detector, f"/search?q={value}") is None


def test_pages_for_queries_and_editing_take_what_is_written() -> None:
    assert weight("/item", "id") == CLOSED
    assert weight("/item", "user[id]") == CLOSED
    assert weight("/item", "colour") == OTHER
    assert weight("/item", "comment") == WRITTEN
    assert weight("/api/search", "id") == WRITTEN
    assert weight("/phpmyadmin/sql.php", "id") == WRITTEN


def test_a_value_of_two_parameters_counts_as_the_more_open_one() -> None:
    assert weights(b"/a?id=%3Cb&q=%3Cb&colour=x+y") == {b"<b": WRITTEN, b"x y": OTHER}


def test_the_classifier_alone_is_heard_only_where_numbers_and_names_belong() -> None:
    doubt = Verdict(0.39, None, ("model",))
    carriers = Carriers()
    assert carriers.weighed(doubt, 0, "/?colour=x%3D", b"x=") == doubt
    raised = carriers.weighed(doubt, 1, "/?id=x%3D", b"x=")
    assert raised.attack is Attack.ANOMALY
    assert raised.score == pytest.approx(1 - 0.61**BY_ITSELF)


def test_what_people_write_is_an_attack_and_alone_no_incident(detector: Detector) -> None:
    assert ALONE < SURE
    for target in ("/search?q=%24_GET%5B%27id%27%5D", "/item?id=%24_GET%5B%27id%27%5D"):
        judged = detector.judge([target], [None], [None], ["GET"])
        told = explain({"target": target, "method": "GET"}, detector)
        assert judged["attack"].to_pylist() == ["php"]
        assert judged["score"].to_pylist() == [pytest.approx(told.score)]
        assert (told.score < SURE) == target.startswith("/search")


def test_a_screen_for_a_database_browses_the_tables_about_tables(detector: Detector) -> None:
    query = "SELECT+table_name+FROM+information_schema.tables+WHERE+table_schema+%3D+%27shop%27"
    assert attack(detector, f"/phpmyadmin/index.php?route=/sql&sql_query={query}") is None
    assert attack(detector, f"/adminer.php?username=a&sql={query}") is None
    assert attack(detector, f"/adminer.php?username=a&sql=1+union+{query}") is not None
    assert attack(detector, f"/report.php?sql={query}") is not None


@pytest.mark.parametrize(
    "words", ["ping+192.0.2.7", "ls+-la+/srv", "cat+/proc/cpuinfo", "http://localhost:3000"]
)
def test_people_look_for_commands_and_addresses_and_only_a_mark_makes_an_attack_of_them(
    detector: Detector, words: str
) -> None:
    assert attack(detector, f"/notes?search={words}") is None
    assert attack(detector, f"/notes?file={words}") is not None


@pytest.mark.parametrize("value", ["/etc/passwd", "/var/log/syslog", "cat+/etc/passwd", "%3Bls+-la+/srv"])
def test_a_file_of_the_server_or_a_mark_is_an_attack_in_a_search_too(detector: Detector, value: str) -> None:
    assert attack(detector, f"/notes?search={value}") is not None


def test_a_search_that_a_sign_in_leads_back_to_is_a_search(detector: Detector) -> None:
    assert list(weights(b"/in?to=%2Ffind%3Fq%3Dls%2B-la%26page%3D2").values()) == [SOUGHT]
    assert list(weights(b"/in?to=%2Ffind%3Fq%3Dls%26id%3Dls%2B-la").values()) == [OTHER]
    assert attack(detector, "/in?to=%2Ffind%3Fq%3Dping%2B192.0.2.7") is None
    assert attack(detector, "/in?to=%2Ffind%3Fid%3Dping%2B192.0.2.7") == "rce"
    assert attack(detector, "/in?to=%2Ffind%3Fq%3D1%2527%2Bor%2B1%253D1--%2B") == "sqli"


def test_what_is_beyond_the_bound_of_a_batch_stands_as_it_was() -> None:
    doubt = Verdict(0.39, Attack.SQLI, ())
    carriers = Carriers(left=1)
    assert carriers.weighed(doubt, 0, "/?id=1", b"1") != doubt
    assert carriers.weighed(doubt, 0, "/?id=1", b"1") == doubt


def test_an_explanation_names_the_carrier(detector: Detector) -> None:
    told = explain({"target": "/item?id=SELECT+name+FROM+customers"}, detector)
    assert told.attack == "sqli"
    assert any("numbers or names" in each for each in told.units[0].verification)


@pytest.mark.parametrize(
    ("target", "by"),
    [
        ("/shop?sql=select+name+from+customers+where+a='b'+or+1=1", STATED),
        ("/query?q=SELECT+last(load)+FROM+host;+SELECT+count(load)+FROM+host", STATED),
        ("/list?q=SELECT+name+FROM+customers", SOUGHT),  # its page takes no queries
        ("/shop?sql=1+union+select+name+from+customers", WRITTEN),  # begins as no statement
        ("/shop?sql=select+name+from+customers+where+a='b", WRITTEN),  # a quote stays open
        ("/shop?sql=select+sleep(9)+from+customers", WRITTEN),  # does more than read tables
    ],
)
def test_a_whole_statement_is_at_home_where_statements_are_asked_for(target: str, by: float) -> None:
    assert list(weights(target.encode()).values()) == [by]


def test_a_whole_statement_is_doubted_only_where_statements_are_asked_for(detector: Detector) -> None:
    union = "select+a+from+b+where+1=1+union+select+c+from+d"
    assert attack(detector, f"/shop?sql={union}") is None
    assert attack(detector, f"/shop?id={union}") == "sqli"
    told = explain({"target": f"/shop?sql={union}"}, detector)
    assert any("statements of SQL" in each for each in told.units[0].verification)


def test_a_string_inside_a_document_that_people_write_is_written_too(detector: Detector) -> None:
    document = r'{"query":{"match":{"note":"is%20\"%3Cscript%3Ealert(1)%3C/script%3E\"%20it"}}}'
    for target, alone in ((f"/logs/_search?source={document}", True), (f"/item?colour={document}", False)):
        told = explain({"target": target, "method": "GET"}, detector)
        assert detector.judge([target], [None], [None], ["GET"])["score"][0].as_py() == pytest.approx(
            told.score
        )
        assert told.attack == "xss"
        assert (told.score <= ALONE) == alone
