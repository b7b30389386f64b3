"""`kubectl rollout`: status, history, undo, restart, pause, resume."""

from __future__ import annotations

from collections.abc import Callable

from minik8s.lab import refs
from minik8s.lab.kubectl.args import UsageError
from minik8s.lab.kubectl.printer import columns
from minik8s.lab.kubectl.session import Session, duration
from minik8s.objects import Object
from minik8s.objects.meta import controller_of, rfc3339
from minik8s.wire import StatusError

REVISION = "deployment.kubernetes.io/revision"
CAUSE = "kubernetes.io/change-cause"
OF_DEPLOYMENT = (
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
)
"""Annotations that a Deployment keeps when it is rolled back; all others come from the ReplicaSet (rollback.go)."""


def rollout(s: Session) -> None:
    verbs: dict[str, Callable[[Session, refs.Ref], None]] = {
        "status": _status,
        "history": _history,
        "undo": _undo,
        "restart": _restart,
        "pause": lambda s, r: _pause(s, r, True),
        "resume": lambda s, r: _pause(s, r, False),
    }
    verb = verbs.get(s.args.words[0] if s.args.words else "")
    if verb is None:
        raise UsageError("error: unknown command; rollout knows: history, pause, restart, resume, status, undo")
    for ref in s.targets(s.args.words[1:]):
        try:
            verb(s, ref)
        except StatusError as error:
            s.complain(error)


# ---- status -----------------------------------------------------------------
def _status(s: Session, ref: refs.Ref) -> None:
    said: list[str] = []

    def done() -> bool:
        obj = s.client.get(ref.resource, s.namespace, ref.name)
        text, finished = _words(obj)
        if not said or said[-1] != text:
            said.append(text)
            s.print(text)
        return finished

    timeout = duration(s.args.get("timeout")) if s.args.get("timeout") else None
    try:
        if s.args.get("watch") == "false":
            done()
        elif not s.wait(done, timeout):
            s.complain("error: timed out waiting for the condition")
    except UsageError as error:
        s.complain(str(error))


def _words(obj: Object) -> tuple[str, bool]:
    """What `rollout status` says, and whether that is the end (kubectl pkg/polymorphichelpers/rollout_status.go)."""
    return {"DaemonSet": _daemonset, "StatefulSet": _statefulset}.get(obj["kind"], _deployment)(obj)


def _deployment(obj: Object) -> tuple[str, bool]:
    name, status = obj["metadata"]["name"], obj.get("status") or {}
    if status.get("observedGeneration", 0) < obj["metadata"].get("generation", 0):
        return "Waiting for deployment spec update to be observed...", False
    progressing: Object = next((c for c in status.get("conditions") or () if c["type"] == "Progressing"), {})
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        raise UsageError(f'error: deployment "{name}" exceeded its progress deadline')
    wanted, updated = obj["spec"].get("replicas", 1), status.get("updatedReplicas", 0)
    total, available = status.get("replicas", 0), status.get("availableReplicas", 0)
    waiting = f'Waiting for deployment "{name}" rollout to finish: '
    if updated < wanted:
        return f"{waiting}{updated} out of {wanted} new replicas have been updated...", False
    if total > updated:
        return f"{waiting}{total - updated} old replicas are pending termination...", False
    if available < updated:
        return f"{waiting}{available} of {updated} updated replicas are available...", False
    return f'deployment "{name}" successfully rolled out', True


def _daemonset(obj: Object) -> tuple[str, bool]:
    name, status = obj["metadata"]["name"], obj.get("status") or {}
    if status.get("observedGeneration", 0) < obj["metadata"].get("generation", 0):
        return "Waiting for daemon set spec update to be observed...", False
    wanted, updated = status.get("desiredNumberScheduled", 0), status.get("updatedNumberScheduled", 0)
    available, waiting = status.get("numberAvailable", 0), f'Waiting for daemon set "{name}" rollout to finish: '
    if updated < wanted:
        return f"{waiting}{updated} out of {wanted} new pods have been updated...", False
    if available < wanted:
        return f"{waiting}{available} of {wanted} updated pods are available...", False
    return f'daemon set "{name}" successfully rolled out', True


def _statefulset(obj: Object) -> tuple[str, bool]:
    status, spec = obj.get("status") or {}, obj["spec"]
    if status.get("observedGeneration", 0) < obj["metadata"].get("generation", 0):
        return "Waiting for statefulset spec update to be observed...", False
    wanted, ready = spec.get("replicas", 1), status.get("readyReplicas", 0)
    if ready < wanted:
        return f"Waiting for {wanted - ready} pods to be ready...", False
    rolling = (spec.get("updateStrategy") or {}).get("rollingUpdate") or {}
    updated, partition = status.get("updatedReplicas", 0), rolling.get("partition", 0)
    if partition:
        if updated < wanted - partition:
            return (
                f"Waiting for partitioned roll out to finish: {updated} out of {wanted - partition} new pods have "
                "been updated..."
            ), False
        return f"partitioned roll out complete: {updated} new pods have been updated...", True
    if status.get("updateRevision") != status.get("currentRevision"):
        return (
            f"waiting for statefulset rolling update to complete {updated} pods at revision "
            f"{status.get('updateRevision')}...",
            False,
        )
    return f"partitioned roll out complete: {updated} new pods have been updated...", True


# ---- history -----------------------------------------------------------------------
def _revisions(s: Session, ref: refs.Ref) -> tuple[Object, list[tuple[int, str, Object]]]:
    """The workload and its (revision, change cause, pod template), oldest first."""
    obj = s.client.get(ref.resource, s.namespace, ref.name)
    uid = obj["metadata"]["uid"]
    kept = "replicasets.apps" if obj["kind"] == "Deployment" else "controllerrevisions.apps"
    out = []
    for one in s.client.list(kept, s.namespace):
        owner = controller_of(one)
        if owner is None or owner["uid"] != uid:
            continue
        notes = one["metadata"].get("annotations") or {}
        if obj["kind"] == "Deployment":
            out.append((int(notes.get(REVISION, "0")), notes.get(CAUSE, "<none>"), one["spec"]["template"]))
        else:
            out.append((one["revision"], notes.get(CAUSE, "<none>"), one["data"]["spec"]["template"]))
    return obj, sorted(out, key=lambda entry: entry[0])


def _history(s: Session, ref: refs.Ref) -> None:
    from minik8s.lab.kubectl.describe import template_lines

    _, revisions = _revisions(s, ref)
    label = f"{s.short(ref.resource)}/{ref.name}"
    wanted = s.args.get("revision")
    if wanted and wanted != "0":
        found = next((t for number, _, t in revisions if number == int(wanted)), None)
        if found is None:
            raise UsageError(f"error: unable to find the specified revision {wanted}")
        s.print(f"{label} with revision #{wanted}")
        for line in template_lines(found):
            s.print(line)
        s.print()
        return
    s.print(f"{label} ")
    for line in columns([["REVISION", "CHANGE-CAUSE"], *[[str(n), cause] for n, cause, _ in revisions]], 2, 0):
        s.print(line)
    s.print()


def _undo(s: Session, ref: refs.Ref) -> None:
    obj, revisions = _revisions(s, ref)
    target = int(s.args.get("to-revision", "0"))
    if len(revisions) < 2 and not target:
        raise UsageError(f'error: no rollout history found for {ref.resource.partition(".")[0]} "{ref.name}"')
    found = next((t for n, _, t in revisions if n == target), None) if target else revisions[-2][2]
    if found is None:
        raise UsageError(f"error: unable to find specified revision {target} in history")
    if obj["spec"].get("paused"):
        raise UsageError(
            "error: you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' "
            "and try again"
        )
    labels = {k: v for k, v in (found["metadata"].get("labels") or {}).items() if k != "pod-template-hash"}
    template = {**found, "metadata": {**found["metadata"], "labels": labels}}
    if template == obj["spec"]["template"]:
        s.print(
            f"{s.short(ref.resource)}/{ref.name} skipped rollback (current template already matches revision "
            f"{target or revisions[-1][0]})"
        )
        return
    body: list[Object] = [{"op": "replace", "path": "/spec/template", "value": template}]
    if obj["kind"] == "Deployment":
        body.append({"op": "add", "path": "/metadata/annotations", "value": _restored(s, obj, found)})
    s.client.patch(ref.resource, s.namespace, ref.name, body, type="json")
    s.print(f"{s.short(ref.resource)}/{ref.name} rolled back")


def _restored(s: Session, deployment: Object, template: Object) -> dict[str, str]:
    """The annotations of a Deployment that goes back to `template`."""
    own = deployment["metadata"].get("annotations") or {}
    sets = [rs for rs in s.client.list("replicasets.apps", s.namespace) if rs["spec"]["template"] == template]
    old = (sets[0]["metadata"].get("annotations") or {}) if sets else {}
    kept = {k: v for k, v in own.items() if k in OF_DEPLOYMENT}
    return kept | {k: v for k, v in old.items() if k not in OF_DEPLOYMENT}


def _restart(s: Session, ref: refs.Ref) -> None:
    notes = {"kubectl.kubernetes.io/restartedAt": rfc3339(s.place.now())}
    body = {"spec": {"template": {"metadata": {"annotations": notes}}}}
    s.client.patch(ref.resource, s.namespace, ref.name, body, type="strategic")
    s.print(f"{s.short(ref.resource)}/{ref.name} restarted")


def _pause(s: Session, ref: refs.Ref, stop: bool) -> None:
    obj = s.client.get(ref.resource, s.namespace, ref.name)
    word = "paused" if stop else "resumed"
    if bool(obj["spec"].get("paused")) == stop:
        s.complain(f'error: {s.short(ref.resource)} "{ref.name}" is {"already paused" if stop else "not paused"}')
        return
    s.client.patch(ref.resource, s.namespace, ref.name, {"spec": {"paused": True if stop else None}})
    s.print(f"{s.short(ref.resource)}/{ref.name} {word}")
