"""Which backend an HTTP request goes to, by Ingress rules and by Gateway API HTTPRoutes (pure functions)."""

from __future__ import annotations

import random
from typing import NamedTuple

from minik8s.dataplane import Call
from minik8s.objects.frozen import Object

Routes = list[Object]


class Backend(NamedTuple):
    """A Service port, or a fixed `status` (a redirect, or nothing that fits); `path` is the path to send on."""

    namespace: str = ""
    service: str = ""
    port: int | str = 0
    path: str = ""
    status: int = 0
    location: str = ""


def ingress_backend(ingresses: Routes, call: Call) -> Backend | None:
    """The backend by networking/v1: exact host before wildcard, longest path first, Exact before Prefix."""
    best: tuple[tuple[int, int, int], Backend] | None = None
    default: Backend | None = None
    for ingress in ingresses:
        namespace, spec = ingress["metadata"]["namespace"], ingress["spec"]
        if spec.get("defaultBackend") and default is None:
            default = _service_backend(namespace, spec["defaultBackend"], call.path)
        for rule in spec.get("rules") or ():
            host_rank = _host_rank(rule.get("host") or "", call.host)
            if host_rank < 0:
                continue
            for entry in (rule.get("http") or {}).get("paths") or ():
                if not path_fits(entry.get("pathType") or "Prefix", entry.get("path") or "/", call.path):
                    continue
                rank = (host_rank, len(entry.get("path") or "/"), int(entry.get("pathType") == "Exact"))
                if best is None or rank > best[0]:
                    best = rank, _service_backend(namespace, entry["backend"], call.path)
    return best[1] if best is not None else default


def _service_backend(namespace: str, backend: Object, path: str) -> Backend:
    service = backend.get("service") or {}
    port = service.get("port") or {}
    return Backend(namespace, service.get("name", ""), port.get("number") or port.get("name") or 0, path)


def path_fits(kind: str, pattern: str, path: str) -> bool:
    """Exact, or Prefix by path elements; ImplementationSpecific counts as Prefix."""
    path = path.partition("?")[0]
    if kind == "Exact":
        return path == pattern
    pattern = pattern.rstrip("/")
    return not pattern or path == pattern or path.startswith(pattern + "/")


def _host_rank(pattern: str, host: str) -> int:
    """2 exact, 1 wildcard, 0 any host, -1 none."""
    if not pattern:
        return 0
    if pattern.startswith("*."):
        front = host.removesuffix(pattern[1:])
        return 1 if front and front != host and "." not in front else -1
    return 2 if pattern == host else -1


def http_route_backend(routes: Routes, call: Call, rng: random.Random) -> Backend | None:
    """The backend by Gateway API: host, then path (Exact, longest prefix), method, number of headers; then weights."""
    best: tuple[tuple[int, ...], Object, Object] | None = None
    for route in routes:
        names = route["spec"].get("hostnames") or [""]
        host_rank = max(_host_rank(name, call.host) for name in names)
        if host_rank < 0:
            continue
        for rule in route["spec"].get("rules") or ():
            for match in rule.get("matches") or [{}]:
                rank = _match_rank(match, call)
                if rank is not None and (best is None or (host_rank, *rank) > best[0]):
                    best = (host_rank, *rank), route, {**rule, "matched": match}
    return None if best is None else _choose(best[1], best[2], call, rng)


def _match_rank(match: Object, call: Call) -> tuple[int, ...] | None:
    path = match.get("path") or {"type": "PathPrefix", "value": "/"}
    kind = "Exact" if path.get("type") == "Exact" else "Prefix"
    if not path_fits(kind, path.get("value") or "/", call.path):
        return None
    if match.get("method") and match["method"] != call.method:
        return None
    headers = {k.lower(): v for k, v in call.headers.items()}
    wanted = match.get("headers") or ()
    if any(headers.get(h["name"].lower()) != h["value"] for h in wanted):
        return None
    query = dict(p.partition("=")[::2] for p in call.path.partition("?")[2].split("&") if p)
    if any(query.get(q["name"]) != q["value"] for q in match.get("queryParams") or ()):
        return None
    return int(kind == "Exact"), len(path.get("value") or "/"), int(bool(match.get("method"))), len(wanted)


def _choose(route: Object, rule: Object, call: Call, rng: random.Random) -> Backend:
    path = call.path
    for entry in rule.get("filters") or ():
        if entry.get("type") == "RequestRedirect":
            redirect = entry["requestRedirect"]
            location = f"{redirect.get('scheme') or 'http'}://{redirect.get('hostname') or call.host}{path}"
            return Backend(status=int(redirect.get("statusCode") or 302), location=location)
        if entry.get("type") == "URLRewrite":
            path = _rewritten(entry["urlRewrite"].get("path") or {}, rule["matched"], path)
    backends = rule.get("backendRefs") or ()
    total = sum(int(b.get("weight", 1)) for b in backends)
    if total <= 0:
        return Backend(status=500)
    point = rng.random() * total
    for backend in backends:
        point -= int(backend.get("weight", 1))
        if point < 0:
            return Backend(backend.get("namespace") or route["metadata"]["namespace"], backend["name"],
                           backend.get("port") or 0, path)
    return Backend(status=500)


def _rewritten(change: Object, match: Object, path: str) -> str:
    if change.get("type") == "ReplaceFullPath":
        return str(change.get("replaceFullPath") or "/")
    if change.get("type") == "ReplacePrefixMatch":
        prefix = ((match.get("path") or {}).get("value") or "/").rstrip("/")
        return (change.get("replacePrefixMatch") or "/").rstrip("/") + path[len(prefix) :] or "/"
    return path
