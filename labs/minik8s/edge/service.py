"""A cluster as a service: put together, opened on a port, closed again. What `minik8s up` runs."""

from __future__ import annotations

import asyncio
import gc
import secrets
import shutil
import ssl
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from minik8s.apiserver.config import Config
from minik8s.cluster import ADMIN, Cluster
from minik8s.edge import pki, state
from minik8s.edge.httpd import HttpServer
from minik8s.edge.loopback import Door, Loopback
from minik8s.edge.process.addresses import claim, local_address, many
from minik8s.edge.process.here import Here
from minik8s.edge.process.runtime import ProcessRuntime
from minik8s.edge.realtime import RealTime
from minik8s.edge.sqlite import Database
from minik8s.edge.streams import Streams
from minik8s.kubelet.fleet import World
from minik8s.store import Store
from minik8s.wire import UserInfo

API_ADDRESS = "10.96.0.1"
"""Of the Service `kubernetes`."""

HISTORY = 10_000
"""Events that a server remembers for watches; older resource versions are answered with 410."""


@dataclass
class Settings:
    """What `minik8s up` is told. `data` None: in memory only. `seed` None: drawn at random.

    runtime  what containers are: simulated, or process (real processes of this machine)
    """

    nodes: int = 3
    port: int = 0
    data: Path | None = None
    seed: int | None = None
    controllers: str = "*"
    scheduler: bool = True
    runtime: str = "simulated"


class Service:
    """One server with its cluster. `open()` until it listens, `close()` to end; `notes` are lines for the user."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self.notes: list[str] = []
        self.token = ""
        self.ca = b""
        self.port = 0
        self._lock: IO[str] | None = None
        self._database: Database | None = None
        self._temporary: Path | None = None
        self._http: HttpServer | None = None
        self._realtime: RealTime | None = None
        self._loopback: Loopback | None = None
        self._here: Here | None = None
        self.cluster: Cluster | None = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    async def open(self) -> None:
        """Take the data directory, restore, start and listen. state.InUse, OSError, sqlite.DatabaseError."""
        folder = self._folder()
        certificates = pki.Making(folder)
        self.token = state.secret(folder / state.TOKEN)
        key = state.secret(folder / state.TOKEN_KEY).encode()
        store, boots = self._open_store(folder)
        seed = self.settings.seed if self.settings.seed is not None else secrets.randbits(48)
        config = Config(tokens={self.token: UserInfo(ADMIN.name, ADMIN.uid, ("system:masters",))}, token_key=key)
        cluster = self.cluster = Cluster(
            nodes=self.settings.nodes,
            # A second start must not draw the identifiers of the first again.
            seed=seed + (boots << 48),
            controllers=self.settings.controllers,
            scheduler=self.settings.scheduler,
            store=store,
            config=config,
            world=self._world(),
            start=time.time(),
            settle=False,
            latency=0.0,  # the loop's own turns are the delay
        )
        cluster.trace.limit = HISTORY
        self._realtime = RealTime(cluster.clock, asyncio.get_running_loop())
        streams = Streams(self._realtime)
        durable = self._database.flushed if self._database is not None else None
        self._http = HttpServer(cluster.handle, self._realtime, durable=durable, upgrade=streams.upgrade)
        self.ca = certificates.wait()
        cluster.options["root_ca"] = self.ca.decode()  # before the first event runs, so the first publishing has it
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(folder / pki.CERT, folder / pki.KEY)
        context.set_alpn_protocols(["http/1.1"])
        self.port = await self._http.start(self.settings.port, context)
        if self.settings.nodes:
            real = self._here is not None
            self._claim_addresses(real)
            self._loopback = Loopback(
                cluster, self._realtime, asyncio.get_running_loop(), pods=not real and many(),
                told=_tell if real or not many() else None,
            )  # fmt: skip
        if self._here is not None:
            api = self._here.open(self._realtime, self.port)
            cluster.network.fabric.virtual[API_ADDRESS] = api.route
            self.notes.extend(_what_process_means())
        self._realtime.kick()
        _return_memory()
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)

    async def close(self) -> None:
        """Stop listening, write what is left, give the data directory free."""
        if self._realtime is not None:
            self._realtime.stop()
        if self._loopback is not None:
            await self._loopback.stop()
        if self._here is not None:
            await self._here.close()
        if self._http is not None:
            await self._http.stop()
        if self._database is not None:
            self._database.close()
        if self._lock is not None:
            self._lock.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def _claim_addresses(self, real: bool) -> None:
        """OSError where containers are real and every block of loopback addresses belongs to another cluster."""
        try:
            if claim(alone=real):
                self.notes.append(
                    "다른 minik8s가 이 컴퓨터의 루프백 주소를 쓰고 있다. 이 클러스터는 다른 자리에 열린다. "
                    f"서비스의 10.96.x.y는 {local_address('10.96.0.0').removesuffix('0.0')}x.y, "
                    f"노드의 172.18.x.y는 {local_address('172.18.0.0').removesuffix('0.0')}x.y다."
                )
        except OSError as error:
            if real:
                raise
            self.notes.append(f"{error.strerror}. 서비스와 파드의 주소가 열리지 않을 수 있다.")

    def _world(self) -> World:
        if self.settings.runtime != "process":
            return World()
        self._here = Here()
        return World(runtime=partial(ProcessRuntime, self._here))

    def _folder(self) -> Path:
        if self.settings.data is None:
            self._temporary = Path(tempfile.mkdtemp(prefix="minik8s-"))
            return self._temporary
        self._lock = state.hold(self.settings.data)
        return self.settings.data

    def _open_store(self, folder: Path) -> tuple[Store, int]:
        if self.settings.data is None:
            return Store(history=HISTORY), 0
        self._database = Database(folder, history=HISTORY)
        store = self._database.open()
        self.notes.extend(self._database.notes)
        return store, self._database.boots


def _what_process_means() -> list[str]:
    """Lines for the user of the process runtime."""
    out = [
        "컨테이너의 명령이 이 컴퓨터에서, 지금 사용자의 권한으로 실행된다. 격리가 아니다. 믿는 매니페스트만 적용하자."
    ]
    if not many():
        out.append(
            "이 시스템의 루프백 주소는 127.0.0.1 하나뿐이다. 파드와 서비스가 그 주소의 서로 다른 포트로 열린다. "
            "매니페스트나 이미지에 적히지 않은 포트는 파드끼리 부딪힐 수 있다."
        )
    return out


def _tell(door: Door) -> None:
    """Where a door is that one would look for elsewhere."""
    print(f"minik8s: {door.address}:{door.target} → {door.host}:{door.port}", file=sys.stderr)


def _return_memory() -> None:
    """Tell glibc to give big buffers (lists of pods) back at once; elsewhere there is nothing to tell."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mmap_threshold, trim_threshold = -3, -1  # malloc.h
    mallopt(mmap_threshold, 128 * 1024)
    mallopt(trim_threshold, 128 * 1024)
