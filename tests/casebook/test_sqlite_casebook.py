"""What is special about the casebook in a SQLite file."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from logvision.casebook import sqlite
from logvision.casebook.sqlite import SqliteCasebook
from logvision.errors import SetupError, StoreError


def test_a_file_that_is_no_database_is_refused_at_the_start(tmp_path: Path) -> None:
    file = tmp_path / "casebook.sqlite"
    file.write_bytes(b"this is no database at all, but long enough to look at" * 40)
    with pytest.raises(SetupError, match=r"casebook\.sqlite"):
        SqliteCasebook(file)


def test_a_casebook_of_a_later_version_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "casebook.sqlite"
    with sqlite3.connect(file) as db:
        db.execute("pragma user_version = 99")
    db.close()
    with pytest.raises(SetupError, match="version 99"):
        SqliteCasebook(file)


def test_a_casebook_of_the_first_version_is_taken_up_with_all_that_is_in_it(tmp_path: Path) -> None:
    file = tmp_path / "casebook.sqlite"
    with sqlite3.connect(file) as db:
        db.execute("create table states (name text primary key, state blob not null) without rowid")
        db.execute("insert into states values ('behaviour', x'01')")
        db.execute("pragma user_version = 1")
    db.close()
    book = SqliteCasebook(file)
    assert book.load_state("behaviour") == b"\x01"
    assert (book.exemptions(), book.labels()) == ([], [])
    book.close()


def test_a_lock_that_stays_is_a_store_error_and_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_MS", 1)
    book = SqliteCasebook(tmp_path / "casebook.sqlite")
    other = sqlite3.connect(tmp_path / "casebook.sqlite", isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(StoreError, match="locked"):
        book.save_state("a", b"1")
    other.execute("rollback")
    other.close()
    assert book.load_state("a") is None
    book.save_state("a", b"1")
    assert book.load_state("a") == b"1"
    book.close()


def test_threads_write_and_read_side_by_side(tmp_path: Path) -> None:
    book = SqliteCasebook(tmp_path / "casebook.sqlite")
    threads = [
        threading.Thread(target=lambda n=n: [book.save_state(f"{n}-{i}", b"x") for i in range(20)])
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(book.load_state(f"{n}-{i}") == b"x" for n in range(4) for i in range(20))
    book.close()
