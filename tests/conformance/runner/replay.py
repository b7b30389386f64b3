"""Runs one recorded scenario and tells which fields of which steps differ."""

from __future__ import annotations

import json
import re
from typing import Any

from conformance.runner.normalise import Normaliser, differences
from conformance.runner.plane import Plane
from minik8s.apiserver.encoding import encode

Differences = list[tuple[str, Any, Any]]
Scenario = dict[str, Any]

_PATH = re.compile(r"([^.\[\]]+)|\[(\d+|\*)\]|\['([^']+)'\]")


def replay(scenario: Scenario, plane: Plane | None = None) -> list[tuple[int, Differences]]:
    """(step number, its differences) for every step that differs; empty when the scenario holds."""
    return _Run(scenario, plane or Plane()).run()


def checked_steps(scenario: Scenario) -> int:
    """How many steps of a scenario are compared."""
    return sum(1 for step in scenario["steps"] if "expect" in step)


class _Run:
    def __init__(self, scenario: Scenario, plane: Plane):
        self.scenario, self.plane = scenario, plane
        self.captures: dict[str, Any] = {}
        self.watches: dict[str, dict[str, Any]] = {}
        fields = ("path", "query", "body", "headers")
        self.normaliser = Normaliser([{f: step.get(f) for f in fields} for step in scenario["steps"]])

    def run(self) -> list[tuple[int, Differences]]:
        if namespace := self.scenario.get("namespace"):
            self._make_namespace(namespace, self.scenario.get("namespaceLabels"))
        failed = []
        for number, step in enumerate(self.scenario["steps"]):
            found = self._step(step)
            if found:
                failed.append((number, found))
        return failed

    def _make_namespace(self, name: str, labels: Any) -> None:
        meta = {"name": name, "labels": labels} if labels else {"name": name}
        self.plane.call("POST", "/api/v1/namespaces", body={"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
        self.plane.advance(1)

    def _step(self, step: dict[str, Any]) -> Differences:
        op = step.get("op", "http")
        if op == "sleep":
            self.plane.advance(step["seconds"])
            return []
        if op == "poll":
            return self._poll(step)
        if op == "watch-start":
            return self._open(step)
        got = self._close(step) if op == "watch-stop" else self._request(step)
        self.plane.advance(0.01)
        if got is None:
            return []
        return differences(step["expect"], got)

    def _request(self, step: dict[str, Any]) -> dict[str, Any] | None:
        filled = self._fill({key: step.get(key) for key in ("method", "path", "query", "headers", "body")})
        status, headers, body = self.plane.call(**filled)
        for name, path in (step.get("capture") or {}).items():
            self.captures[name] = look_up(body, path)
        if step.get("unchecked"):
            return None
        body = self.normaliser.value(_project(body, step.get("project")), step.get("keep", ()))
        for path in step.get("ignore", ()):
            _drop(body, path)
        return {"status": status, "headers": headers, "body": body}

    def _poll(self, step: dict[str, Any]) -> Differences:
        filled = self._fill(step)
        for _ in range(int(filled.get("timeout", 20) * 20)):
            status, _, value = self.plane.call("GET", filled["path"], query=filled.get("query"))
            if status == filled.get("status", 200) and self._holds(value, filled.get("until") or {}):
                for name, path in (step.get("capture") or {}).items():
                    self.captures[name] = look_up(value, path)
                return []
            self.plane.advance(0.05)
        return [("poll", step.get("until") or step.get("status", 200), "not reached")]

    def _holds(self, value: Any, until: dict[str, Any]) -> bool:
        for path, wanted in until.items():
            if path.endswith(".length"):
                got: Any = len(look_up(value, path[: -len(".length")]) or [])
            else:
                got = look_up(value, path)
            if got != wanted:
                return False
        return True

    # ---- watches -----------------------------------------------------------
    def _open(self, step: dict[str, Any]) -> Differences:
        filled = self._fill({key: step.get(key) for key in ("path", "query", "headers")})
        response = self.plane.send("GET", **filled)
        watch = self.watches[step["id"]] = {"response": response, "events": []}
        if response.stream is None:
            watch["events"] = [json.loads(encode(response))]
        return []

    def _close(self, step: dict[str, Any]) -> dict[str, Any]:
        watch = self.watches[step["id"]]
        response, events = watch["response"], watch["events"]
        wanted = step.get("count", len(step["expect"]["events"]))
        for _ in range(int(step.get("timeout", 5) * 20)):
            self._collect(response, events)
            if len(events) >= wanted or (response.stream is not None and response.stream.closed):
                break
            self.plane.advance(0.05)
        self.plane.advance(0.15)
        self._collect(response, events)
        if response.stream is not None:
            response.stream.close()
        seen = [self.normaliser.value(event, step.get("keep", ())) for event in events]
        if names := step.get("project"):
            seen = [{"type": e.get("type"), **{n: look_up(e.get("object"), n) for n in names}} for e in seen]
        return {"status": response.status, "events": seen}

    def _collect(self, response: Any, events: list[Any]) -> None:
        if response.stream is None:
            return
        for event in response.stream.drain():
            shown = json.loads(json.dumps({"type": event.type, "object": event.object}))
            if event.type == "BOOKMARK" and not (shown["object"].get("metadata") or {}).get("annotations"):
                continue  # periodic bookmarks come when they like
            events.append(shown)

    def _fill(self, value: Any) -> Any:
        """`value` with captures in the places of `${name}`."""
        if isinstance(value, str):
            if found := re.fullmatch(r"\$\{(\w+):int\}", value):
                return int(self.captures[found[1]])
            return re.sub(r"\$\{(\w+)\}", lambda found: str(self.captures.get(found[1], found[0])), value)
        if isinstance(value, dict):
            return {self._fill(key): self._fill(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._fill(item) for item in value]
        return value


def look_up(value: Any, path: str) -> Any:
    """`a.b[0].c` or `a.b['x.y/z']` in a JSON value; None when absent."""
    for plain, index, quoted in _PATH.findall(path):
        try:
            value = value[int(index)] if index else value[quoted or plain]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _project(value: Any, spec: dict[str, Any] | None) -> Any:
    """Only the parts of a big answer that the step names."""
    if not spec or not isinstance(value, dict):
        return value
    items = look_up(value, spec["path"]) or []
    if "in" in spec:
        items = [item for item in items if look_up(item, spec["key"]) in spec["in"]]
        items.sort(key=lambda item: spec["in"].index(look_up(item, spec["key"])))
    if spec.get("only"):
        items = [{key: item.get(key) for key in spec["only"] if key in item} for item in items]
    return {"kind": value.get("kind"), spec["path"]: items}


def _drop(value: Any, path: str) -> None:
    parts = [quoted or plain or index for plain, index, quoted in _PATH.findall(path)]
    current = [value]
    for number, part in enumerate(parts):
        following: list[Any] = []
        for node in current:
            if isinstance(node, list):
                following += node if part == "*" else node[int(part) : int(part) + 1]
            elif isinstance(node, dict) and part in node:
                if number == len(parts) - 1:
                    del node[part]
                else:
                    following.append(node[part])
        current = following
