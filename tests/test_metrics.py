"""Metrics come out as Prometheus reads them."""

from __future__ import annotations

import pytest

from logvision.metrics import Metrics


def test_counters_and_gauges_in_the_text_of_prometheus() -> None:
    metrics = Metrics()
    rejects = metrics.counter("logvision_parse_rejects_lines_total", "Lines that are no events.")
    rejects.add(2, reason="binary")
    rejects.add(reason="binary")
    rejects.add(reason='a"\\\n')
    metrics.counter("logvision_commit_events_rows_total", "Events committed.").add(12_345_678_901)
    metrics.gauge("logvision_hot_events_rows", "Events not yet committed.").set(5)
    metrics.gauge("logvision_lake_size_bytes", "Size of the lake.", lambda: 7.5)
    assert metrics.render() == (
        "# HELP logvision_commit_events_rows_total Events committed.\n"
        "# TYPE logvision_commit_events_rows_total counter\n"
        "logvision_commit_events_rows_total 12345678901\n"
        "# HELP logvision_hot_events_rows Events not yet committed.\n"
        "# TYPE logvision_hot_events_rows gauge\n"
        "logvision_hot_events_rows 5\n"
        "# HELP logvision_lake_size_bytes Size of the lake.\n"
        "# TYPE logvision_lake_size_bytes gauge\n"
        "logvision_lake_size_bytes 7.5\n"
        "# HELP logvision_parse_rejects_lines_total Lines that are no events.\n"
        "# TYPE logvision_parse_rejects_lines_total counter\n"
        'logvision_parse_rejects_lines_total{reason="a\\"\\\\\\n"} 1\n'
        'logvision_parse_rejects_lines_total{reason="binary"} 3\n'
    )


def test_the_same_name_is_the_same_counter() -> None:
    metrics = Metrics()
    for _ in range(2):
        metrics.counter("logvision_x_y_total", "Help.").add()
    assert "logvision_x_y_total 2\n" in metrics.render()


def test_names_must_have_the_form_and_counters_never_fall() -> None:
    metrics = Metrics()
    with pytest.raises(ValueError, match="a counter is named"):
        metrics.counter("events", "Help.")
    with pytest.raises(ValueError, match="a gauge is named"):
        metrics.gauge("logvision_x_total", "Help.")
    with pytest.raises(ValueError, match="cannot fall"):
        metrics.counter("logvision_x_y_total", "Help.").add(-1)


def test_a_histogram_counts_each_value_in_every_bucket_that_holds_it() -> None:
    metrics = Metrics()
    seconds = metrics.histogram("logvision_judge_batch_seconds", "Help.", (0.5, 2, 10))
    seconds.observe(0.5)
    seconds.observe(3, times=2)
    seconds.observe(99)
    assert metrics.render() == (
        "# HELP logvision_judge_batch_seconds Help.\n"
        "# TYPE logvision_judge_batch_seconds histogram\n"
        'logvision_judge_batch_seconds_bucket{le="0.5"} 1\n'
        'logvision_judge_batch_seconds_bucket{le="2"} 1\n'
        'logvision_judge_batch_seconds_bucket{le="10"} 3\n'
        'logvision_judge_batch_seconds_bucket{le="+Inf"} 4\n'
        "logvision_judge_batch_seconds_count 4\n"
        "logvision_judge_batch_seconds_sum 105.5\n"
    )
    with pytest.raises(ValueError, match="a histogram is named"):
        metrics.histogram("batch", "Help.", (1,))


def test_series_that_are_no_more_go_when_a_gauge_is_set_for_each_value_of_a_label() -> None:
    metrics = Metrics()
    gauge = metrics.gauge("logvision_read_lag_rows", "Help.")
    gauge.set_each("partition", {"lines/0": 3, "lines/1": 0})
    gauge.set_each("partition", {"lines/1": 4})
    assert metrics.render().splitlines()[2:] == ['logvision_read_lag_rows{partition="lines/1"} 4']
