"""`kubectl describe`: 한 오브젝트의 모든 것을 사람이 읽게, 이벤트까지."""

from __future__ import annotations

from collections.abc import Callable

from minik8s.lab.kubectl import describe_more as more
from minik8s.lab.kubectl import describe_work as work
from minik8s.lab.kubectl.args import UsageError
from minik8s.lab.kubectl.describe_pod import pod, template_lines
from minik8s.lab.kubectl.describe_text import Lines
from minik8s.lab.kubectl.printer import tabbed
from minik8s.lab.kubectl.session import Session
from minik8s.objects import Object
from minik8s.wire import StatusError

_PAGES: dict[str, Callable[[Session, Object], Lines]] = {
    "Pod": pod,
    "Deployment": work.deployment,
    "ReplicaSet": work.replicaset,
    "Service": work.service,
    "Node": work.node,
    "Namespace": work.namespace,
    "ResourceQuota": work.quota,
    "ConfigMap": work.configmap,
    "Secret": work.secret,
    "PersistentVolumeClaim": work.claim,
    "Job": more.job,
    "CronJob": more.cronjob,
    "StatefulSet": more.statefulset,
    "DaemonSet": more.daemonset,
    "LimitRange": more.limitrange,
    "PodDisruptionBudget": more.budget,
    "HorizontalPodAutoscaler": more.autoscaler,
    "Role": more.role,
    "ClusterRole": more.role,
    "RoleBinding": more.binding,
    "ClusterRoleBinding": more.binding,
    "ServiceAccount": more.serviceaccount,
    "StorageClass": more.storageclass,
    "PriorityClass": more.priorityclass,
    "Ingress": more.ingress,
    "NetworkPolicy": more.networkpolicy,
}


def describe(s: Session) -> None:
    """Print pages about the named objects; a name may be a prefix when nothing has exactly that name."""
    if not s.args.words:
        raise UsageError(
            'You must specify the type of resource to describe. Use "kubectl api-resources" for a complete '
            "list of supported resources."
        )
    found: list[Object] = []
    for ref in s.targets(s.args.words):
        try:
            found += _find(s, ref.resource, ref.name)
        except StatusError as error:
            s.complain(error)
    if len(found) > 1:  # as the real one: with several, events only when asked for
        s.args.options.setdefault("show-events", "false")
    pages = [tabbed("\n".join(_PAGES.get(obj["kind"], work.anything)(s, obj))) + "\n" for obj in found]
    s.out.write("\n\n".join(pages))
    if not pages and not s.code:
        s.err.write(f"No resources found in {s.namespace} namespace.\n")


def _find(s: Session, resource: str, name: str) -> list[Object]:
    kind = s.kind_of(resource)
    head = {"apiVersion": kind.api_version, "kind": kind.kind} if kind else {}
    if not name:
        found = s.client.list(resource, s.scope(resource), label_selector=s.args.get("selector"))
        return [{**head, **obj} for obj in found]
    try:
        return [s.client.get(resource, s.namespace, name)]
    except StatusError as error:
        alike = [
            {**head, **obj} for obj in s.client.list(resource, s.namespace) if obj["metadata"]["name"].startswith(name)
        ]
        if error.code != 404 or not alike:
            raise
        return alike


__all__ = ["describe", "template_lines"]
