"""있는 오브젝트를 고치는 명령: scale, label, annotate, set, patch, taint, cordon, drain."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from minik8s.lab import refs
from minik8s.lab.kubectl.apply import show
from minik8s.lab.kubectl.args import UsageError
from minik8s.lab.kubectl.session import Session, duration
from minik8s.objects import Object
from minik8s.wire import StatusError


def scale(s: Session) -> None:
    """Set `spec.replicas` through the scale subresource."""
    if "replicas" not in s.args.options:
        raise UsageError('error: required flag(s) "replicas" not set')
    count = int(s.args.get("replicas"))
    if count < 0:
        raise UsageError("error: The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0")
    for ref in s.targets(s.args.words):
        try:
            current = s.client.get(ref.resource, s.namespace, ref.name)["spec"].get("replicas", 1)
            expected = s.args.get("current-replicas")
            if expected and int(expected) != current:
                s.complain(f"error: Expected replicas to be {expected}, was {current}")
                continue
            body = {"spec": {"replicas": count}}
            s.client.patch(ref.resource, s.namespace, ref.name, body, subresource="scale")
            s.print(f"{s.short(ref.resource)}/{ref.name} scaled")
        except StatusError as error:
            s.complain(error)


def label(s: Session) -> None:
    _metadata(s, "labels", "labeled", "unlabeled")


def annotate(s: Session) -> None:
    _metadata(s, "annotations", "annotated", "annotated")


def _metadata(s: Session, field: str, done: str, undone: str) -> None:
    changes = [w for w in s.args.words[1:] if "=" in w or w.endswith("-")]
    targets = s.targets([w for w in s.args.words if w not in changes])
    if not changes:
        raise UsageError(f"error: at least one {field[:-1]} update is required")
    values: Object = {}
    for change in changes:
        key, equals, value = change.partition("=")
        values[key if equals else change[:-1]] = value if equals else None
    for ref in targets:
        for obj in _selected(s, ref):
            name, there = obj["metadata"]["name"], obj["metadata"].get(field) or {}
            taken = [k for k, v in values.items() if v is not None and k in there and there[k] != v]
            if taken and not s.args.on("overwrite") and field == "labels":
                s.complain(f"error: '{taken[0]}' already has a value ({there[taken[0]]}), and --overwrite is false")
                continue
            if all((there.get(k) == v) for k, v in values.items()):
                s.print(f"{s.short(ref.resource)}/{name} not {done}")
                continue
            try:
                namespace = obj["metadata"].get("namespace", "")
                s.client.patch(ref.resource, namespace, name, {"metadata": {field: values}})
            except StatusError as error:
                s.complain(error)
                continue
            removed = all(v is None for v in values.values())
            s.print(f"{s.short(ref.resource)}/{name} {undone if removed else done}")


def _selected(s: Session, ref: refs.Ref) -> list[Object]:
    if ref.name:
        try:
            return [s.client.get(ref.resource, s.namespace, ref.name)]
        except StatusError as error:
            s.complain(error)
            return []
    return s.client.list(ref.resource, s.scope(ref.resource), label_selector=s.args.get("selector"))


# ---- set -------------------------------------------------------------------------
def set_(s: Session) -> None:
    """`set image|env|resources|selector|serviceaccount`."""
    what, words = s.args.words[0] if s.args.words else "", s.args.words[1:]
    if what == "selector":
        _set_selector(s, words)
        return
    pairs = [w for w in words if "=" in w or w.endswith("-")]
    targets = s.targets([w for w in words if w not in pairs])
    for ref in targets:
        try:
            obj = s.client.get(ref.resource, s.namespace, ref.name)
            patch = _set_patch(s, what, obj, pairs)
        except StatusError as error:
            s.complain(error)
            continue
        path = {"spec": patch} if obj["kind"] == "Pod" else {"spec": {"template": {"spec": patch}}}
        if not _dry(s):
            s.client.patch(ref.resource, s.namespace, ref.name, path, type="strategic")
        s.print(f"{s.short(ref.resource)}/{ref.name} {_SET_DONE.get(what, what)} updated{_dry(s)}")


def _dry(s: Session) -> str:
    """What is said, and not done, with `--dry-run`."""
    return {"client": " (dry run)", "server": " (server dry run)"}.get(s.args.get("dry-run"), "")


def _set_selector(s: Session, words: list[str]) -> None:
    """`set selector svc web app=web,tier=front`: the whole selector of a Service anew."""
    *named, text = words or [""]
    if not named or "=" not in text:
        raise UsageError("error: one or more resources and a selector such as app=web must be specified")
    wanted = dict(pair.split("=", 1) for pair in text.split(","))
    for ref in s.targets(named):
        if ref.resource != "services":  # as upstream: the selectors of the others cannot change
            s.complain("error: setting a selector is only supported for Services")
            continue
        try:
            old = s.client.get(ref.resource, s.namespace, ref.name)["spec"].get("selector") or {}
            gone: dict[str, str | None] = dict.fromkeys(old)
            body = {"spec": {"selector": {**gone, **wanted}}}
            if not _dry(s):
                s.client.patch(ref.resource, s.namespace, ref.name, body, type="merge")
        except StatusError as error:
            s.complain(error)
            continue
        s.print(f"{s.short(ref.resource)}/{ref.name} selector updated{_dry(s)}")


_SET_DONE = {"image": "image", "env": "env", "resources": "resource requirements", "serviceaccount": "serviceaccount"}


def _set_patch(s: Session, what: str, obj: Object, pairs: list[str]) -> Object:
    spec = obj["spec"] if obj["kind"] == "Pod" else obj["spec"]["template"]["spec"]
    names = [c["name"] for c in spec["containers"]]
    if what == "image":
        wanted = [pair.partition("=")[::2] for pair in pairs]
        for name, _ in wanted:
            if name != "*" and name not in names + [c["name"] for c in spec.get("initContainers") or []]:
                raise UsageError(f'error: unable to find container named "{name}"')
        return {
            "containers": [
                {"name": n, "image": image} for name, image in wanted for n in (names if name == "*" else [name])
            ]
        }
    chosen = [s.args.get("containers")] if s.args.get("containers") not in {"", "true"} else names
    if what == "env":
        entries: list[Object] = [
            {"name": p.partition("=")[0], "value": p.partition("=")[2]}
            if "=" in p
            else {"name": p[:-1], "$patch": "delete"}
            for p in pairs
        ]
        entries += _env_from(s)
        return {"containers": [{"name": n, "env": entries} for n in chosen]}
    if what == "resources":
        wanted_resources = {
            field: dict(part.split("=", 1) for part in s.args.get(field).split(","))
            for field in ("limits", "requests")
            if s.args.get(field)
        }
        return {"containers": [{"name": n, "resources": wanted_resources} for n in chosen]}
    raise UsageError(f'error: unknown command "set {what}"')


def _env_from(s: Session) -> list[Object]:
    """`--from=secret/NAME` or `configmap/NAME`: one variable for each key, with `--prefix` before it."""
    if not s.args.get("from"):
        return []
    ref = s.targets([s.args.get("from")])[0]
    source = s.client.get(ref.resource, s.namespace, ref.name)
    field = "secretKeyRef" if ref.resource == "secrets" else "configMapKeyRef"
    prefix = s.args.get("prefix")
    return [
        {"name": prefix + re.sub(r"[^A-Z0-9_]", "_", key.upper()), "valueFrom": {field: {"name": ref.name, "key": key}}}
        for key in sorted(source.get("data") or {})
    ]


def patch(s: Session) -> None:
    """`patch` with `-p` (YAML or JSON) and `--type strategic|merge|json`."""
    kind = s.args.get("type", "strategic")
    text = s.args.get("patch") or s.args.get("previous")
    if not text:
        raise UsageError("error: must specify --patch or --patch-file containing the contents of the patch")
    body: Any = json.loads(text) if kind == "json" else yaml.safe_load(text)
    for ref in s.targets(s.args.words):
        try:
            live = s.client.get(ref.resource, s.namespace, ref.name)
            done = s.client.patch(
                ref.resource, s.namespace, ref.name, body, type=kind, subresource=s.args.get("subresource")
            )
        except StatusError as error:
            s.complain(error)
            continue
        same = live["metadata"]["resourceVersion"] == done["metadata"]["resourceVersion"]
        show(s, ref.resource, done, "patched (no change)" if same else "patched")


# ---- nodes ---------------------------------------------------------------------------
def taint(s: Session) -> None:
    """`taint nodes NODE key=value:Effect` and `key:Effect-` to remove."""
    specs = [w for w in s.args.words[1:] if ":" in w or w.endswith("-") or "=" in w]
    for ref in s.targets([w for w in s.args.words if w not in specs]):
        try:
            node = s.client.get(ref.resource, "", ref.name)
            taints, done = _taints(s, node, specs)
            s.client.patch(ref.resource, "", ref.name, {"spec": {"taints": taints}})
            s.print(f"node/{ref.name} {done}")
        except StatusError as error:
            s.complain(error)


def _taints(s: Session, node: Object, specs: list[str]) -> tuple[list[Object], str]:
    taints = [dict(t) for t in node["spec"].get("taints") or []]
    done = "untainted"
    for spec in specs:
        if spec.endswith("-"):
            key, _, effect = spec[:-1].partition(":")
            kept = [t for t in taints if t["key"] != key.partition("=")[0] or (effect and t["effect"] != effect)]
            if len(kept) == len(taints):
                raise UsageError(f'error: taint "{spec[:-1]}" not found')
            taints = kept
            continue
        pair, _, effect = spec.partition(":")
        key, _, value = pair.partition("=")
        if effect not in {"NoSchedule", "PreferNoSchedule", "NoExecute"}:
            raise UsageError(
                f"error: invalid taint effect: {effect}, unsupported taint effect\n"
                "See 'kubectl taint -h' for help and examples"
            )
        same = [t for t in taints if t["key"] == key and t["effect"] == effect]
        if same and not s.args.on("overwrite"):
            raise UsageError(
                f"error: node {node['metadata']['name']} already has {key} taint(s) with same effect(s) "
                "and --overwrite is false"
            )
        done = "modified" if same else "tainted"
        taints = [t for t in taints if t not in same] + [
            {"key": key, "effect": effect, **({"value": value} if value else {})}
        ]
    return taints, done


def cordon(s: Session) -> None:
    _cordon(s, True)


def uncordon(s: Session) -> None:
    _cordon(s, False)


def _cordon(s: Session, closed: bool) -> None:
    done = "cordoned" if closed else "uncordoned"
    for name in s.args.words:
        name = name.rpartition("/")[2]
        try:
            node = s.client.get("nodes", "", name)
            if bool(node["spec"].get("unschedulable")) == closed:
                s.print(f"node/{name} already {done}")
                continue
            s.client.patch("nodes", "", name, {"spec": {"unschedulable": True if closed else None}})
            s.print(f"node/{name} {done}")
        except StatusError as error:
            s.complain(error)


def drain(s: Session) -> None:
    """Cordon a node and evict its pods, respecting disruption budgets."""
    _cordon(s, True)
    if s.code:
        return
    for name in s.args.words:
        name = name.rpartition("/")[2]
        pods = s.client.list("pods", None, field_selector=f"spec.nodeName={name}")
        refused = _undrainable(s, pods)
        if refused:
            s.complain(
                "\n".join(
                    [
                        f'error: unable to drain node "{name}" due to error: [{", ".join(refused)}], '
                        "continuing command...",
                        "There are pending nodes to be drained:",
                        f" {name}",
                        *refused,
                    ]
                )
            )
            continue
        leaving = [p for p in pods if _owner(p) != "DaemonSet" and not _mirror(p)]
        _evict_all(s, name, leaving)


def _owner(pod: Object) -> str:
    return next((r["kind"] for r in pod["metadata"].get("ownerReferences") or () if r.get("controller")), "")


def _mirror(pod: Object) -> bool:
    return "kubernetes.io/config.mirror" in (pod["metadata"].get("annotations") or {})


def _undrainable(s: Session, pods: list[Object]) -> list[str]:
    def names(found: list[Object]) -> str:
        return ", ".join(f"{p['metadata']['namespace']}/{p['metadata']['name']}" for p in found)

    daemons = [p for p in pods if _owner(p) == "DaemonSet"]
    bare = [p for p in pods if not _owner(p) and not _mirror(p)]
    data = [p for p in pods if any("emptyDir" in v for v in p["spec"].get("volumes") or ()) and p not in daemons]
    out = []
    if data and not s.args.on("delete-emptydir-data"):
        out.append(f"cannot delete Pods with local storage (use --delete-emptydir-data to override): {names(data)}")
    if bare and not s.args.on("force"):
        out.append("cannot delete Pods that declare no controller (use --force to override): " + names(bare))
    if daemons and not s.args.on("ignore-daemonsets"):
        out.append(f"cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): {names(daemons)}")
    return out


def _evict_all(s: Session, node: str, pods: list[Object]) -> None:
    """Ask for all evictions at once, and again every 5 seconds for those that a budget forbids; then see them go."""
    end = s.place.now() + (duration(s.args.get("timeout")) if s.args.get("timeout") else 3600.0)
    for pod in pods:
        s.print(f"evicting pod {pod['metadata']['namespace']}/{pod['metadata']['name']}")
    waiting = list(pods)
    while waiting:
        forbidden = [pod for pod in waiting if not _evict(s, pod, s.place.now() >= end)]
        if s.code:
            return
        if forbidden:
            s.place.sleep(5)
            for pod in forbidden:
                s.print(f"evicting pod {pod['metadata']['namespace']}/{pod['metadata']['name']}")
        waiting = forbidden
    for pod in pods:
        namespace, name, uid = (pod["metadata"][f] for f in ("namespace", "name", "uid"))

        def gone(namespace: str = namespace, name: str = name, uid: str = uid) -> bool:
            found = s.client.find("pods", namespace, name)
            return found is None or found["metadata"]["uid"] != uid

        if s.wait(gone, end - s.place.now()):
            s.print(f"pod/{name} evicted")
    s.print(f"node/{node} drained")


def _evict(s: Session, pod: Object, last: bool) -> bool:
    """Whether the pod is on its way; a refusal that is no budget's, or the last one, ends the command."""
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
    try:
        s.client.create_subresource("pods", namespace, name, "eviction", body)
    except StatusError as error:
        if error.code == 404:
            return True
        if error.code != 429 or last:
            s.complain(error, f"error when evicting pods/{name} -n {namespace}: ")
            return True
        s.err.write(f'error when evicting pods/"{name}" -n "{namespace}" (will retry after 5s): {error.message}\n')
        return False
    return True
