"""The durable store: what was acknowledged comes back, whatever happened to the files in between."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from minik8s.edge.sqlite import COPY, DATABASE, Database
from minik8s.objects import Object
from minik8s.store import Compacted, Key, Store


def key(name: str) -> Key:
    return Key("configmaps", "default", name)


def config_map(name: str, value: str = "v") -> Object:
    return {"metadata": {"name": name, "namespace": "default"}, "data": {"k": value, "pad": "x" * 200}}


class Directory:
    """A data directory, opened and left again as servers do."""

    def __init__(self, folder: Path, history: int = 10_000):
        self.folder, self.history = folder, history

    def open(self) -> tuple[Store, Database]:
        database = Database(self.folder, self.history)
        return database.open(), database

    def write(self, count: int, start: int = 0) -> Store:
        """Create objects, acknowledge them, and die without closing anything."""
        store, database = self.open()
        for index in range(start, start + count):
            store.create(key(f"c{index}"), config_map(f"c{index}"))
        asyncio.run(database.flushed())
        left = {path: path.read_bytes() for path in self.folder.iterdir()}
        database.close()
        for path in self.folder.iterdir():
            path.unlink()
        for path, data in left.items():  # as a killed process leaves them
            path.write_bytes(data)
        return store

    def names(self) -> list[str]:
        store, database = self.open()
        database.close()
        return [str(obj["metadata"]["name"]) for obj in store.list("configmaps")]


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory(tmp_path)


def test_everything_comes_back_as_it_was(directory: Directory) -> None:
    store, database = directory.open()
    store.create(key("a"), config_map("a"))
    store.create(key("b"), config_map("b"))
    store.update(key("a"), config_map("a", "new"))
    store.delete(key("b"))
    database.close()
    again, _ = directory.open()
    assert again.revision == store.revision
    assert again.list("configmaps") == store.list("configmaps")


def test_the_revision_is_never_given_out_twice(directory: Directory) -> None:
    store, database = directory.open()
    store.create(key("a"), config_map("a"))
    store.delete(key("a"))
    last = store.revision
    database.close()
    for _ in range(2):
        again, database = directory.open()
        assert again.revision == last
        database.close()


def test_watches_go_on_after_a_restart(directory: Directory) -> None:
    store, database = directory.open()
    store.create(key("a"), config_map("a"))
    seen = store.revision
    store.update(key("a"), config_map("a", "new"))
    store.delete(key("a"))
    database.close()
    again, _ = directory.open()
    events = again.watch("configmaps", since=seen).drain()
    assert [event.type for event in events] == ["MODIFIED", "DELETED"]
    assert events[0].old is not None and events[0].old["data"]["k"] == "v"


def test_history_before_the_horizon_is_refused_and_not_kept(tmp_path: Path) -> None:
    directory = Directory(tmp_path, history=5)
    store, database = directory.open()
    store.create(key("a"), config_map("a"))
    for value in range(20):
        store.update(key("a"), config_map("a", str(value)))
    database.close()
    again, database = directory.open()
    with pytest.raises(Compacted):
        again.watch("configmaps", since=3)
    database.close()
    rows = sqlite3.connect(tmp_path / DATABASE).execute("SELECT count(*) FROM journal").fetchone()[0]
    assert rows <= 6


def test_a_write_is_there_once_it_was_flushed_even_if_nothing_was_closed(directory: Directory) -> None:
    directory.write(5)
    assert directory.names() == [f"c{i}" for i in range(5)]


@pytest.mark.parametrize("lost", [1, 100, 4000])
def test_a_torn_log_of_the_database_is_made_whole_from_the_copy(directory: Directory, lost: int) -> None:
    directory.write(30)
    wal = directory.folder / (DATABASE + "-wal")
    wal.write_bytes(wal.read_bytes()[:-lost])
    assert directory.names() == sorted(f"c{i}" for i in range(30))


@pytest.mark.parametrize("damage", ["truncated", "garbage", "zeros", "head", "empty"])
def test_a_torn_file_is_told_and_everything_is_recovered(directory: Directory, damage: str) -> None:
    directory.write(60)
    directory.open()[1].close()  # moves the log into the file
    path = directory.folder / DATABASE
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    if damage == "truncated":
        del data[middle:]
    elif damage == "head":
        data[:64] = b"\xff" * 64
    elif damage == "empty":
        data.clear()
    else:
        data[middle : middle + 8192] = (b"\xa5" if damage == "garbage" else b"\0") * 8192
    path.write_bytes(data)
    store, database = directory.open()
    assert [obj["metadata"]["name"] for obj in store.list("configmaps")] == sorted(f"c{i}" for i in range(60))
    assert database.notes
    database.close()
    assert len(directory.names()) == 60


def test_a_changed_row_is_not_believed(directory: Directory) -> None:
    directory.write(3)
    connection = sqlite3.connect(directory.folder / DATABASE)
    connection.execute("UPDATE journal SET object = replace(object, '\"v\"', '\"w\"')")
    connection.commit()
    connection.close()
    store, database = directory.open()
    assert [obj["data"]["k"] for obj in store.list("configmaps")] == ["v", "v", "v"]
    assert database.notes


def test_a_torn_copy_does_no_harm(directory: Directory) -> None:
    directory.write(10)
    copy = directory.folder / COPY
    copy.write_bytes(copy.read_bytes()[:-50] + b"\xff\xfe")
    assert len(directory.names()) == 10


def test_work_goes_on_after_a_recovery(directory: Directory) -> None:
    directory.write(10)
    path = directory.folder / DATABASE
    path.write_bytes(path.read_bytes()[:5000])
    store = directory.write(10, start=10)
    assert store.revision == 21
    assert len(directory.names()) == 20


def test_opening_counts(directory: Directory) -> None:
    boots = []
    for _ in range(3):
        _, database = directory.open()
        boots.append(database.boots)
        database.close()
    assert boots == [0, 1, 2]


def test_the_files_are_for_their_owner_only(directory: Directory) -> None:
    store, database = directory.open()
    store.create(key("secret"), config_map("secret"))
    asyncio.run(database.flushed())
    assert {path.stat().st_mode & 0o077 for path in directory.folder.iterdir()} == {0}
    database.close()


def test_the_files_do_not_grow_forever(tmp_path: Path) -> None:
    directory = Directory(tmp_path, history=5)
    store, database = directory.open()
    store.create(key("kept"), config_map("kept"))
    store.create(key("a"), config_map("a"))
    sizes = []
    for value in range(300):
        store.update(key("a"), config_map("a", str(value)))
        asyncio.run(database.flushed())
        sizes.append((tmp_path / COPY).stat().st_size)
    assert max(sizes) < 40 * 500
    last = store.revision
    database.close()
    again, database = directory.open()
    assert again.revision == last
    assert [obj["data"]["k"] for obj in again.list("configmaps")] == ["299", "v"]
    database.close()
