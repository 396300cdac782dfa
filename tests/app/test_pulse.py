"""What a job on Spark says of its topic, from what Spark says of a batch."""

from __future__ import annotations

from logvision.app.pulse import lag


def test_lag_is_what_the_broker_has_beyond_the_batch_of_each_partition() -> None:
    progress = {
        "sources": [
            {
                "description": "KafkaV2[Subscribe[lines]]",
                "startOffset": {"lines": {"0": 3}},
                "endOffset": {"lines": {"0": 10, "1": 7}},
                "latestOffset": {"lines": {"0": 25, "1": 7, "2": 4}},
            }
        ]
    }
    assert lag(progress) == {"lines/0": 15, "lines/1": 0, "lines/2": 4}


def test_offsets_that_come_as_text_are_read_and_none_is_nothing() -> None:
    text = {"sources": [{"endOffset": '{"lines":{"0":1}}', "latestOffset": '{"lines":{"0":3}}'}]}
    assert lag(text) == {"lines/0": 2}
    assert lag({"sources": [{"endOffset": None, "latestOffset": None}]}) == {}
    assert lag({}) == {}
