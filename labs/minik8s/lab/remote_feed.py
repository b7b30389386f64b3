"""실제 클러스터의 대시보드가 보는 것: 실습이 이미 지켜보는 watch에, 이벤트의 watch를 하나 더한다."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

from minik8s.lab.feeds import Snapshot, latest
from minik8s.lab.remote import Remote, RemoteStream
from minik8s.objects import Object
from minik8s.wire import StatusError

if TYPE_CHECKING:
    from minik8s.lab.session import Lab


class Watching:
    """Reads what the watches brought. `close` ends the watch that it opened."""

    def __init__(self, lab: Lab):
        assert isinstance(lab.place, Remote)
        self._lab, self._place = lab, lab.place
        self._events: dict[str, Object] = {}
        self._stream: RemoteStream | None = None
        self._heard: Callable[[], None] | None = None
        self._closed = False
        self._lock = Lock()  # a cell may read while the dashboard's own thread does

    def read(self) -> Snapshot:
        with self._lock:
            trouble = self._follow_events()
            changes = list(self._place.changes())
            return Snapshot(
                self._place.now(),
                latest(changes, "nodes"),
                latest(changes, "pods"),
                latest(changes, "deployments.apps"),
                list(self._events.values()),
                changes,
                self._place.trouble or trouble,
            )

    def _follow_events(self) -> str:
        """Take in the news; "" or why there are none."""
        if (self._stream is None or self._stream.closed) and not self._closed:
            self._take()
            try:
                stream = self._lab.client.watch("events", self._lab.namespace)
            except StatusError as error:
                return f"이벤트를 볼 수 없다: {error.message}" if error.code != 503 else error.message
            self._stream = stream if isinstance(stream, RemoteStream) else None
        self._take()
        return ""

    def _take(self) -> None:
        for event in self._stream.drain() if self._stream else ():
            if event.type in {"ADDED", "MODIFIED", "DELETED"}:
                uid = event.object["metadata"]["uid"]
                if event.type == "DELETED":
                    self._events.pop(uid, None)
                else:
                    self._events[uid] = event.object

    def listen(self, heard: Callable[[], None]) -> None:
        self._heard = heard
        self._place.listeners.append(heard)

    def close(self) -> None:
        self._closed = True
        if self._heard is not None:
            self._place.listeners.remove(self._heard)
            self._heard = None
        if self._stream is not None:
            self._stream.close()
