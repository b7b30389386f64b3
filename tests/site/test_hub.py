# ruff: noqa: E501
"""JupyterHub as a class uses it: two students log in, each runs a lab on an own server, neither sees the other's."""

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from minik8s.grading.notebook import from_myst

ROOT = Path(__file__).parents[2]
LAB = ROOT / "labs" / "notebooks" / "04-declarative-api.md"
PROXY = shutil.which("configurable-http-proxy", path=f"{ROOT / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}")
pytestmark = pytest.mark.skipif(PROXY is None or os.name != "posix", reason="configurable-http-proxy가 없다(npm ci)")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[str]:
    with socket.socket() as a, socket.socket() as b, socket.socket() as c:
        for probe in (a, b, c):
            probe.bind(("127.0.0.1", 0))
        ports = [probe.getsockname()[1] for probe in (a, b, c)]
    environment = {**os.environ, "MINIK8S_HUB": str(tmp_path), "MINIK8S_HUB_PORTS": " ".join(map(str, ports))}
    command = [sys.executable, "-m", "jupyterhub", "-f", str(ROOT / "deploy/jupyterhub/jupyterhub_config.py")]
    with (tmp_path / "hub.log").open("w") as log:
        process = subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait_for(_up(f"http://127.0.0.1:{ports[0]}/hub/api/", process, tmp_path / "hub.log"))
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def _wait_for(work: Coroutine[Any, Any, None]) -> None:
    """In a thread of its own: a browser test before this one leaves its loop running in the worker's main thread."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


async def _up(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    async with aiohttp.ClientSession() as web:
        while True:
            try:
                async with web.get(url) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            assert process.poll() is None, log.read_text()
            await asyncio.sleep(0.1)


class Student:
    """A browser of one student's: cookies, and the header that Jupyter wants against forged requests."""

    def __init__(self, hub: str, name: str, web: aiohttp.ClientSession):
        self.hub, self.name, self.web = hub, name, web

    async def enter(self) -> None:
        """Log in through the form and wait for the own server."""
        async with self.web.get(f"{self.hub}/hub/login") as page:
            token = re.search(r'name="_xsrf" value="([^"]+)"', await page.text())
        assert token is not None
        form = {"username": self.name, "password": "x", "_xsrf": token[1]}
        async with self.web.post(f"{self.hub}/hub/login", data=form) as answer:
            assert answer.status == 200 and "login" not in answer.url.path, await answer.text()
        while True:
            async with self.web.get(f"{self.hub}/user/{self.name}/api/status") as answer:
                if answer.status == 200 and "started" in (await answer.text()):
                    return
            async with self.web.get(f"{self.hub}/hub/spawn/{self.name}"):
                await asyncio.sleep(0.2)

    async def call(self, method: str, path: str, owner: str = "", **body: Any) -> tuple[int, Any]:
        base = f"{self.hub}/user/{owner or self.name}/"
        async with self.web.get(f"{base}api"):  # sets this server's token cookie
            pass
        tokens = [m.value for m in self.web.cookie_jar if m.key == "_xsrf" and m["path"].startswith(f"/user/{self.name}/")]
        headers = {"X-XSRFToken": tokens[0]} if tokens else {}
        async with self.web.request(method, base + path, json=body or None, headers=headers, allow_redirects=False) as answer:
            return answer.status, await answer.json(content_type=None) if "json" in answer.content_type else None

    async def run(self, cells: list[str]) -> str:
        """Run cells in a kernel of the own server; what they printed. AssertionError for a cell that fails."""
        status, kernel = await self.call("POST", "api/kernels", name="python3")
        assert status == 201
        out = []
        url = f"{self.hub.replace('http', 'ws')}/user/{self.name}/api/kernels/{kernel['id']}/channels"
        async with self.web.ws_connect(url) as channel:
            for cell in cells:
                ask = uuid.uuid4().hex
                content = {"code": cell, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
                await channel.send_json({"channel": "shell", "content": content, "metadata": {}, "parent_header": {},
                                         "header": {"msg_id": ask, "msg_type": "execute_request", "session": ask,
                                                    "username": "", "version": "5.3"}})
                async for message in channel:
                    told = message.json()
                    if told["parent_header"].get("msg_id") != ask:
                        continue
                    kind, said = told["msg_type"], told["content"]
                    assert kind != "error", said
                    out.append(said.get("text") or said.get("data", {}).get("text/plain", ""))
                    if kind == "status" and said["execution_state"] == "idle":
                        break
        return "\n".join(out)


async def _class(hub: str) -> None:
    cells = [cell.source for cell in from_myst(LAB.read_text(encoding="utf-8")) if cell.kind == "code"][:3]
    one, two = (aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True, quote_cookie=False)) for _ in range(2))
    async with one, two:
        first, second = Student(hub, "first", one), Student(hub, "second", two)
        await asyncio.gather(first.enter(), second.enter())
        own = "open('mine.txt', 'w').write('secret')\nfrom minik8s import lab\nprint(len(lab.connect().kubectl('get nodes')))"
        printed = await asyncio.gather(*(student.run([*cells, own]) for student in (first, second)))
        assert all(text.strip() for text in printed)
        assert (await first.call("GET", "api/contents/mine.txt"))[0] == 200
        assert (await second.call("GET", "api/contents/mine.txt", owner="first"))[0] in (302, 403, 404)
        assert (await second.call("GET", "api/kernels", owner="first"))[0] in (302, 403, 404)


def test_two_students_run_a_lab_each_and_see_only_their_own(hub: str) -> None:
    _wait_for(asyncio.wait_for(_class(hub), 180))
