from __future__ import annotations

from pathlib import Path

import pytest

from logvision.sources.history import Rotation, rotations, siblings


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("access.log", []),
        ("access.log.1", [Rotation("access.log", "1", False)]),
        ("access.log.12.gz", [Rotation("access.log", "12", False)]),
        ("access.log-20260101.zst", [Rotation("access.log", "20260101", False)]),
        ("access.log.2026-01-01", [Rotation("access.log", "2026-01-01", False)]),
        ("access_log.1767225600", [Rotation("access_log", "1767225600", False)]),
        ("access-2026-01-01.log.bz2", [Rotation("access.log", "2026-01-01", True)]),
        ("access_2026010112.log", [Rotation("access.log", "2026010112", True)]),
        ("access.2.log", [Rotation("access.log", "2", True)]),
        ("site-1.log", []),
        ("host-192.168.1.10.log", []),
        ("1.log", []),
        ("20260101", []),
        ("access.log.old", []),
        ("access.log.gz", []),
        ("app-.log", []),
    ],
)
def test_a_name_says_which_log_it_was(name: str, expected: list[Rotation]) -> None:
    assert rotations(name) == expected


def order(folder: Path, *names: str) -> list[str]:
    for name in names:
        (folder / name).touch()
    return [path.name for path in siblings(folder / "access.log")]


def test_counters_count_down(tmp_path: Path) -> None:
    assert order(
        tmp_path, "access.log", "access.log.2.gz", "access.log.10.gz", "access.log.0", "error.log.1"
    ) == [
        "access.log.10.gz",
        "access.log.2.gz",
        "access.log.0",
    ]


def test_dates_and_unix_times_count_up(tmp_path: Path) -> None:
    assert order(tmp_path, "access.log-20260102", "access.log-20260101.gz", "access.log-20251231-2.gz") == [
        "access.log-20251231-2.gz",
        "access.log-20260101.gz",
        "access.log-20260102",
    ]


def test_of_a_file_that_is_being_compressed_the_plain_one_counts(tmp_path: Path) -> None:
    assert order(tmp_path, "access.log.1", "access.log.1.gz") == ["access.log.1"]


def test_a_folder_is_no_sibling_and_a_missing_folder_has_none(tmp_path: Path) -> None:
    (tmp_path / "access.log.1").mkdir()
    assert siblings(tmp_path / "access.log") == []
    assert siblings(tmp_path / "none" / "access.log") == []
