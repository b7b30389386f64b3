"""Addresses and ports of Services."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from minik8s.apiserver.call import Call
from minik8s.objects import Object
from minik8s.objects.kinds import Kind

if TYPE_CHECKING:
    from minik8s.apiserver.server import ApiServer


class Allocators:
    def __init__(self, server: ApiServer):
        self._server = server

    @contextmanager
    def allocate(self, call: Call, new: Object, old: Object | None) -> Iterator[None]:
        yield

    def release(self, kind: Kind, obj: Object) -> None:
        pass
