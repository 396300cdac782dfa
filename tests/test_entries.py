"""What is kept in the user's cache folder comes back whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from logvision import entries


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    entry = tmp_path / "deep" / "a.bin"
    assert entries.load(entry) is None
    entries.keep(entry, b"content")
    assert entries.load(entry) == [b"content"]
    entries.keep(entry, b"content", b"", b"more")
    assert entries.load(entry) == [b"content", b"", b"more"]
    assert [each.name for each in entry.parent.iterdir()] == ["a.bin"]


@pytest.mark.parametrize("at", [0, 31, 32, 33, 40, 41, 47])
def test_a_single_changed_byte_makes_it_no_entry(tmp_path: Path, at: int) -> None:
    entry = tmp_path / "a.bin"
    entries.keep(entry, b"content")
    changed = bytearray(entry.read_bytes())
    changed[at] ^= 1
    entry.write_bytes(changed)
    assert entries.load(entry) is None


def test_an_entry_that_is_cut_short_is_no_entry(tmp_path: Path) -> None:
    entry = tmp_path / "a.bin"
    entries.keep(entry, b"content", b"more")
    whole = entry.read_bytes()
    for size in range(len(whole)):
        entry.write_bytes(whole[:size])
        assert entries.load(entry) is None


@pytest.mark.parametrize("damage", [b"", b"x", bytes(5000), b"\xff" * 5000])
def test_a_damaged_entry_is_no_entry(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "a.bin").write_bytes(damage)
    assert entries.load(tmp_path / "a.bin") is None


def test_a_folder_that_cannot_be_made_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    entries.keep(tmp_path / "file" / "a.bin", b"content")
    assert entries.load(tmp_path / "file" / "a.bin") is None


def test_the_entries_not_used_for_longest_go(tmp_path: Path) -> None:
    for used, name in enumerate(("a", "b", "c")):
        (tmp_path / f"{name}.bin").write_bytes(bytes(10))
        os.utime(tmp_path / f"{name}.bin", (used, used))
    entries.tidy(tmp_path, limit=25)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["b.bin", "c.bin"]


def test_an_entry_that_is_read_counts_as_used(tmp_path: Path) -> None:
    entry = tmp_path / "a.bin"
    entries.keep(entry, b"content")
    os.utime(entry, (1, 1))
    entries.load(entry)
    assert entry.stat().st_mtime > 1


def test_the_users_folder_is_where_the_environment_says() -> None:
    assert [
        entries.user_folder({"XDG_CACHE_HOME": "/x", "HOME": "/home/a"}),
        entries.user_folder({"HOME": "/home/a"}),
        entries.user_folder({"XDG_CACHE_HOME": "relative"}),
    ] == [Path("/x/logvision"), Path("/home/a/.cache/logvision"), None]
