"""A case comes back from what is kept of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson

from logvision.incident import Case, Change, Evidence, Incident, Status
from logvision.schema import Attack, Outcome, Severity, Stage

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
CASE = Case(
    Incident(
        id=f"{1:032x}",
        actor="ip:192.0.2.1",
        actor_kind="ip",
        site=None,
        stage=Stage.EXPLOIT,
        attacks={Attack.SQLI: 2},
        outcome=Outcome.UNKNOWN,
        severity=Severity.HIGH,
        score=0.97,
        first_seen=NOON,
        last_seen=NOON + timedelta(microseconds=7),
        events=2,
        alerts=1,
        rules=("sqli-errors",),
        members=("ip:192.0.2.1", "ip:192.0.2.2"),
        evidence=(
            Evidence(
                "access.log", 17, NOON, "GET", "/?id=1'\u202e\x00", 200, 1 << 40, 0.5, Attack.SQLI, ("a", "b")
            ),
            Evidence("access.log", 18, NOON + timedelta(microseconds=7), outcome=Outcome.MISSED),
        ),
        summary_args={"count": 2},
    ),
    status=Status.ACKNOWLEDGED,
    note="looked at",
    revision=3,
    history=(Change(NOON, "a", Status.ACKNOWLEDGED, "looked at"),),
)


def test_a_case_comes_back_from_its_json_and_from_its_document() -> None:
    assert Case.from_dict(orjson.loads(CASE.to_json())) == CASE
    assert Case.from_dict(orjson.loads(orjson.dumps(CASE.to_dict()))) == CASE
