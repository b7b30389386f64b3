"""One recorded kubectl session: a working directory, a kubeconfig, and command lines whose output is compared."""

from __future__ import annotations

import asyncio
import difflib
import http.client
import json
import os
import re
import shlex
import ssl
import subprocess
import threading
import time
import urllib.parse
from pathlib import Path
from typing import Any

import yaml

from conformance.kubectl.text import Output
from conformance.stories.pretend import PretendKubelet
from minik8s.client.api import Client
from minik8s.cluster import ADMIN
from minik8s.edge import kubeconfig
from minik8s.edge.service import Service, Settings

Scenario = dict[str, Any]
POLL_SECONDS = 20.0
_PATH = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


class Server:
    """`minik8s up --nodes 0` in a thread, with the three pretend nodes of the recordings."""

    def __init__(self) -> None:
        self.service = Service(Settings(nodes=0))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(30)
        self._trust = ssl.create_default_context(cadata=self.service.ca.decode())

    async def _open(self) -> None:
        await self.service.open()
        cluster = self.service.cluster
        assert cluster is not None and self.service._realtime is not None
        PretendKubelet(Client(cluster.handle, actor="kubelet", user=ADMIN), cluster.clock).start()
        self.service._realtime.kick()

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self.service.close(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)

    def call(self, method: str, path: str, body: Any = None, query: Any = None, headers: Any = None) -> tuple[int, Any]:
        """One request of the runner's own."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.service.port, context=self._trust, timeout=60)
        sent = {"Authorization": f"Bearer {self.service.token}", "Content-Type": "application/json", **(headers or {})}
        target = path + ("?" + urllib.parse.urlencode(query, doseq=True) if query else "")
        try:
            connection.request(method, target, None if body is None else json.dumps(body), sent)
            response = connection.getresponse()
            data = response.read()
            return response.status, json.loads(data) if data[:1] in (b"{", b"[") else data
        finally:
            connection.close()

    def until(self, test: Any, path: str, seconds: float = POLL_SECONDS) -> bool:
        """Look at `path` until `test(status, body)`. Between two looks the server is asked to wait for a change."""
        end = time.monotonic() + seconds
        while not test(*self.call("GET", path)):
            if time.monotonic() > end:
                return False
            self.call("GET", "/api/v1/events?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Dnone")
        return True

    def namespace(self, name: str) -> None:
        self.call("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        for path in ("serviceaccounts/default", "configmaps/kube-root-ca.crt"):
            self.until(lambda status, _: status == 200, f"/api/v1/namespaces/{name}/{path}")


def lookup(value: Any, path: str) -> Any:
    """`status.conditions.length`, `items[0].metadata.name`."""
    for name, index in _PATH.findall(path):
        if name == "length" and isinstance(value, list):
            return len(value)
        try:
            value = value[int(index)] if index else value[name]
        except (KeyError, IndexError, TypeError):
            return None
    return value


class Session:
    """Runs a scenario; `run()` gives the differences as text, one entry for each step that differs."""

    def __init__(self, scenario: Scenario, server: Server, folder: Path, kubectl: str):
        self.scenario, self.server, self.folder, self.kubectl = scenario, server, folder, kubectl
        self.output = Output(scenario, str(folder))
        self.env = dict(os.environ, HOME=str(folder), TERM="dumb", COLUMNS="200", TZ="UTC")
        self.env |= {"KUBECONFIG": str(folder / ".kubeconfig"), "KUBECTL_EXTERNAL_DIFF": "diff -u -N"}

    def run(self) -> list[str]:
        self._prepare()
        found = []
        for number, step in enumerate(self.scenario["steps"]):
            fault = self._step(step)
            if fault:
                found.append(f"step {number}: {step.get('cmd') or step.get('op')}\n{fault}")
        self._clean()
        return found

    def _prepare(self) -> None:
        for name, text in (self.scenario.get("files") or {}).items():
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        service, namespace = self.server.service, self.scenario.get("namespace")
        parts = kubeconfig.entries(service.url, service.ca, service.token)
        for section in parts.values():
            section["name"] = "oracle"
        context = {"cluster": "oracle", "user": "admin"}
        parts["contexts"]["context"] = {**context, "namespace": namespace} if namespace else context
        parts["users"]["name"] = "admin"
        # As the recordings' kubeconfig has it; `config view` shows it.
        parts["clusters"]["cluster"] = {"server": service.url, "insecure-skip-tls-verify": True}
        config = {"apiVersion": "v1", "kind": "Config", "current-context": "oracle"}
        config |= {section: [entry] for section, entry in parts.items()}  # type: ignore[dict-item]
        (self.folder / ".kubeconfig").write_text(yaml.safe_dump(config))
        if self.scenario.get("quiet"):
            self.server.until(lambda _, body: not body["items"], "/api/v1/pods", 60)
        if namespace:
            self.server.namespace(namespace)

    def _step(self, step: dict[str, Any]) -> str:
        op = step.get("op", "cmd")
        if op == "sleep":
            time.sleep(step["seconds"])
            return ""
        if op == "http":
            self.server.call(step["method"], step["path"], step.get("body"), step.get("query"), step.get("headers"))
            return ""
        if op == "poll":
            return self._poll(step)
        got = self._command(step)
        return "" if step.get("unchecked") else _differences(step["expect"], got)

    def _poll(self, step: dict[str, Any]) -> str:
        wanted = step.get("until") or {}

        def reached(status: int, body: Any) -> bool:
            return status == step.get("status", 200) and all(lookup(body, p) == v for p, v in wanted.items())

        return "" if self.server.until(reached, step["path"], step.get("timeout", POLL_SECONDS)) else f"never {wanted}"

    def _command(self, step: dict[str, Any]) -> dict[str, Any]:
        words = shlex.split(step["cmd"])
        words[0] = self.kubectl if words[0] == "kubectl" else words[0]
        pipe = subprocess.PIPE
        pipes = {"stdin": pipe, "stdout": pipe, "stderr": pipe}
        process = subprocess.Popen(words, cwd=self.folder, env=self.env, text=True, **pipes)  # type: ignore[call-overload]
        code: Any
        try:
            out, errors = process.communicate(step.get("stdin", ""), timeout=step.get("timeout", 60))
            code = process.returncode
        except subprocess.TimeoutExpired:
            process.terminate()
            out, errors = process.communicate()
            code = "<timeout>"
        got = {"exit": code}
        for stream, text in (("stdout", out), ("stderr", errors)):
            shown = self.output.text(text, step["cmd"])
            for pattern, replacement in step.get("mask", ()):
                shown = re.sub(pattern, replacement, shown, flags=re.M)
            got[stream] = "\n".join(sorted(shown.split("\n"))) if step.get("sortLines") else shown
        return got

    def _clean(self) -> None:
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        if namespace := self.scenario.get("namespace"):
            self.server.call("DELETE", f"/api/v1/namespaces/{namespace}")
        for path in self.scenario.get("cleanup", ()):
            self.server.call("DELETE", path, options)


def _differences(want: dict[str, Any], got: dict[str, Any]) -> str:
    lines = [] if want["exit"] == got["exit"] else [f"  exit: want {want['exit']} got {got['exit']}"]
    for stream in ("stdout", "stderr"):
        if want[stream] != got[stream]:
            found = difflib.ndiff(want[stream].split("\n"), got[stream].split("\n"))
            lines += [f"  {stream}:", *(f"    {line}" for line in found if not line.startswith("  "))]
    return "\n".join(lines)
