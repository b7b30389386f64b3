"""The durable store: a journal in SQLite (WAL, synchronous=FULL) with a second copy beside it.

Every write is a row; a row carries its CRC. Rows are committed together once per turn of the loop, and nobody is told
of a write before that (`flushed`). The second copy is a plain log of the same rows, appended at every commit: it holds
what a torn database file has lost, and shows that something has been lost at all. On opening, whole rows of both are
put together, so that everything acknowledged comes back unless both copies are damaged in the same place.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, NamedTuple

from minik8s.edge.pki import BINARY
from minik8s.objects.frozen import freeze
from minik8s.store import Event, Key, Store

DATABASE, COPY = "store.db", "store.log"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS journal (
  revision INTEGER PRIMARY KEY, type TEXT NOT NULL, resource TEXT NOT NULL, namespace TEXT NOT NULL,
  name TEXT NOT NULL, object TEXT NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


class DatabaseError(Exception):
    """The data directory cannot be used; the text is for the user."""


class Row(NamedTuple):
    """One write as it is kept. `object` is JSON text."""

    revision: int
    type: str
    resource: str
    namespace: str
    name: str
    object: str
    crc: int

    @classmethod
    def of(cls, event: Event) -> Row:
        text = json.dumps(event.object, ensure_ascii=False, separators=(",", ":"))
        fields = (event.revision, event.type, *event.key, text)
        return cls(*fields, _crc(fields))

    def whole(self) -> bool:
        """Whether nothing of the row has changed since it was written."""
        try:
            return self.crc == _crc(self[:6])
        except (TypeError, ValueError, AttributeError):
            return False


def _crc(fields: tuple[object, ...]) -> int:
    return zlib.crc32("\0".join(map(str, fields)).encode())


class Database:
    """The journal of one data directory. `open()` gives the restored store, which journals here from then on.

    history  how many of the last writes are kept so that watches can go on after a restart
    notes    lines for the user about what was repaired
    boots    how often the directory has been opened before
    """

    def __init__(self, folder: Path, history: int = 10_000):
        self._folder, self._history = folder, history
        self._connection: sqlite3.Connection | None = None
        self._copy: IO[bytes] | None = None
        self._pending: list[Row] = []
        self._flush: asyncio.Future[None] | None = None
        self._grown = 0
        self._writer = ThreadPoolExecutor(1, "journal")
        self.notes: list[str] = []
        self.boots = 0

    # ---- opening -----------------------------------------------------------------
    def open(self) -> Store:
        """Read everything back, repair what is torn, and take up the journal. DatabaseError."""
        rows, torn = self._read_database()
        copied, copy_torn = self._read_copy()
        merged = {row.revision: row for row in copied}
        recovered = sorted(set(merged) - set(rows))
        merged.update(rows)
        self._tell(rows, recovered, torn, copy_torn)
        store = Store(self, self._history)
        kept = self._compacted([merged[revision] for revision in sorted(merged)])
        horizon = self._restore(store, kept)
        if torn:
            self._set_aside()
        self._connect()
        self._rewrite(kept if torn or recovered else None, store, horizon)
        return store

    def _tell(self, rows: dict[int, Row], recovered: list[int], torn: str, copy_torn: bool) -> None:
        if torn:
            self.notes.append(f"저장 파일이 찢어져 있다({torn}). 온전한 기록 {len(rows)}개를 읽었다")
        if recovered:
            last = recovered[-1]
            self.notes.append(f"사본에서 쓰기 {len(recovered)}개를 되살렸다(마지막 revision {last})")
        elif torn or copy_torn:
            what = "저장 파일" if torn else "사본의 끝"
            self.notes.append(f"{what}이 온전하지 않아, 확인된 마지막 쓰기까지 되살렸다")

    def _read_database(self) -> tuple[dict[int, Row], str]:
        """(whole rows by revision, what is wrong or "")."""
        path = self._folder / DATABASE
        if not path.exists() or path.stat().st_size == 0:
            wal = path.with_name(DATABASE + "-wal")
            return {}, "비어 있음" if path.exists() and wal.exists() and wal.stat().st_size else ""
        rows: dict[int, Row] = {}
        torn = ""
        connection = sqlite3.connect(path)
        try:
            answer = connection.execute("PRAGMA quick_check(1)").fetchone()
            torn = "" if answer and answer[0] == "ok" else str(answer[0] if answer else "?")
            for order in ("ASC", "DESC") if torn else ("ASC",):  # from both ends, up to the hole
                try:
                    for fields in connection.execute(f"SELECT * FROM journal ORDER BY revision {order}"):
                        row = Row(*fields)
                        if row.whole():
                            rows[row.revision] = row
                        else:
                            torn = torn or f"revision {row.revision}"
                except (sqlite3.DatabaseError, OverflowError, TypeError) as error:
                    torn = torn or str(error)
        except sqlite3.DatabaseError as error:
            torn = str(error)
        finally:
            connection.close()
        return rows, torn

    def _read_copy(self) -> tuple[list[Row], bool]:
        try:
            data = (self._folder / COPY).read_bytes()
        except FileNotFoundError:
            return [], False
        rows = []
        torn = bool(data) and not data.endswith(b"\n")
        for line in data.split(b"\n"):
            if not line:
                continue
            try:
                row = Row(*json.loads(line))
            except (ValueError, TypeError):
                torn = True
                continue
            if row.whole():
                rows.append(row)
            else:
                torn = True
        return rows, torn

    def _compacted(self, rows: list[Row]) -> list[Row]:
        """Without what nobody can ask for: states that were replaced before the remembered history."""
        if len(rows) <= self._history:
            return rows
        cut = len(rows) - self._history
        latest = {row[2:5]: row for row in rows[:cut]}
        old = [row for row in rows[:cut] if latest[row[2:5]] is row and row.type != "DELETED"]
        return old + rows[cut:]

    def _restore(self, store: Store, rows: list[Row]) -> int:
        """Play rows back; the revision before which watches are refused."""
        current: dict[tuple[str, ...], object] = {}
        events: list[Event] = []
        for row in rows:
            key = Key(row.resource, row.namespace, row.name)
            obj = freeze(json.loads(row.object))
            old = current.get(key)
            if row.type == "DELETED":
                if current.pop(key, None) is None:
                    continue
            else:
                current[key] = obj
            kind = row.type if row.type == "DELETED" else "MODIFIED" if old is not None else "ADDED"
            events.append(Event(row.revision, kind, key, obj, old))  # type: ignore[arg-type]
        store.restore(events)
        if rows:
            store.revision = max(store.revision, rows[-1].revision)
        oldest = rows[-self._history].revision if len(rows) > self._history else 0
        if len(rows) > 1:
            gap = next((i for i in range(len(rows) - 1, 0, -1) if rows[i].revision != rows[i - 1].revision + 1), 0)
            oldest = max(oldest, rows[gap].revision)
        return oldest

    def _set_aside(self) -> None:
        stamp = time.strftime("%Y%m%dT%H%M%S")
        for suffix in ("", "-wal", "-shm"):
            path = self._folder / (DATABASE + suffix)
            if path.exists():
                os.replace(path, self._folder / f"{DATABASE}{suffix}.torn-{stamp}")
        self.notes.append(f"찢어진 파일은 {DATABASE}.torn-{stamp}으로 남겨 두었다")

    def _connect(self) -> None:
        try:
            # SQLite gives its log the file's mode, so the file must be private before the log is there.
            os.close(os.open(self._folder / DATABASE, os.O_CREAT | os.O_RDWR, 0o600))
            connection = sqlite3.connect(self._folder / DATABASE, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA cache_size=-2000")
            connection.executescript(_SCHEMA)
            found = connection.execute("SELECT value FROM facts WHERE name='boots'").fetchone()
            self.boots = found[0] if found else 0
            connection.execute("REPLACE INTO facts VALUES ('boots', ?)", (self.boots + 1,))
        except (sqlite3.Error, OSError) as error:
            raise DatabaseError(f"저장 파일 {self._folder / DATABASE}를 열 수 없다: {error}") from None
        self._connection = connection

    def _rewrite(self, replaced: list[Row] | None, store: Store, horizon: int) -> None:
        """Bring both files to what was restored, and the store to its horizon."""
        assert self._connection is not None
        kept = {event.revision for event in store.events}
        if replaced is not None:
            self._insert(replaced)
        stale = [r for (r,) in self._connection.execute("SELECT revision FROM journal") if r not in kept]
        if stale:
            last = store.revision  # the highest revision must survive, or it would be given out again
            self._connection.execute("BEGIN")
            gone = [(r,) for r in stale if r != last]
            self._connection.executemany("DELETE FROM journal WHERE revision=?", gone)
            self._connection.execute("COMMIT")
        self._write_copy()
        if horizon:
            store.compact(horizon)

    def _write_copy(self) -> None:
        """Make the second copy anew from the database, all or nothing."""
        assert self._connection is not None
        path = self._folder / COPY
        temporary = path.with_suffix(".new")
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | BINARY, 0o600), "wb") as file:
            rows = self._connection.execute("SELECT * FROM journal ORDER BY revision")
            file.writelines(_lines(Row(*fields) for fields in rows))
            file.flush()
            os.fsync(file.fileno())
        if self._copy is not None:
            self._copy.close()
        os.replace(temporary, path)
        self._copy = open(path, "ab", buffering=0)  # noqa: SIM115
        self._grown = 0

    def _compact(self) -> None:
        """While running: forget what was replaced before the remembered history, so that files do not grow forever."""
        assert self._connection is not None
        columns = "revision, type, resource, namespace, name"
        rows = self._connection.execute(f"SELECT {columns} FROM journal ORDER BY revision").fetchall()
        cut = max(0, len(rows) - self._history)
        latest = {row[2:]: row[0] for row in rows[:cut]}
        gone = [(row[0],) for row in rows[:cut] if latest[row[2:]] != row[0] or row[1] == "DELETED"]
        self._connection.execute("BEGIN")
        self._connection.executemany("DELETE FROM journal WHERE revision=?", gone)
        self._connection.execute("COMMIT")
        self._write_copy()

    # ---- writing -----------------------------------------------------------------
    def append(self, event: Event) -> None:
        """Journal.append: remembered now, on disk after `flushed()`."""
        self._pending.append(Row.of(event))

    async def flushed(self) -> None:
        """Wait until everything appended so far is on disk. Callers of one turn of the loop share a commit."""
        while self._pending or self._flush is not None:
            if self._flush is None:
                loop = asyncio.get_running_loop()
                await asyncio.sleep(0)  # others of this turn join the commit
                if self._flush is None and self._pending:
                    rows, self._pending = self._pending, []
                    self._flush = loop.run_in_executor(self._writer, self._commit, rows)
            if self._flush is not None:
                running = self._flush
                try:
                    await asyncio.shield(running)
                finally:
                    if self._flush is running and running.done():
                        self._flush = None

    def _commit(self, rows: list[Row]) -> None:
        assert self._copy is not None
        self._copy.write(b"".join(_lines(rows)))
        self._insert(rows)
        self._grown += len(rows)
        if self._grown > 4 * self._history:
            self._compact()

    def _insert(self, rows: Iterable[Row]) -> None:
        assert self._connection is not None
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT OR REPLACE INTO journal VALUES (?,?,?,?,?,?,?)", rows)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Write what is pending and close the files."""
        self._writer.shutdown()
        if self._connection is not None:
            rows, self._pending = self._pending, []
            if rows:
                self._commit(rows)
            self._connection.close()
            self._connection = None
        if self._copy is not None:
            self._copy.close()
            self._copy = None


def _lines(rows: Iterable[Row]) -> Iterator[bytes]:
    for row in rows:
        yield json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
