"""The objects that the steps of a scenario create."""

from __future__ import annotations

from typing import Any

from faults.scenario import TEAM, Step

Object = dict[str, Any]


def manifest(step: Step) -> tuple[str, Object]:
    """The resource and object of a `create` step."""
    kind, name = step["kind"], step["name"]
    container: Object = {"name": "app", "image": step["image"], "resources": {"requests": {"cpu": step["cpu"]}}}
    if kind == "Job":
        container |= {"image": "busybox:1.36", "command": ["sh", "-c", "sleep 5; exit 0"]}
    elif step["probe"]:
        container["readinessProbe"] = {"tcpSocket": {"port": 80}, "periodSeconds": 5}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    spec: Object = {"template": template}
    if kind == "Job":
        template["spec"] |= {"restartPolicy": "Never"}
        spec |= {"completions": step["replicas"], "backoffLimit": 50}
        return "jobs.batch", {"apiVersion": "batch/v1", "kind": kind,
                              "metadata": {"name": name, "namespace": "default"}, "spec": spec}
    spec["selector"] = {"matchLabels": {"app": name}}
    if kind != "DaemonSet":
        spec["replicas"] = step["replicas"]
    if kind == "StatefulSet":
        spec["serviceName"] = name
    return f"{kind.lower()}s.apps", {"apiVersion": "apps/v1", "kind": kind,
                                     "metadata": {"name": name, "namespace": "default"}, "spec": spec}


def cronjob(step: Step) -> Object:
    """Every minute a Job of five seconds."""
    container = {"name": "app", "image": "busybox:1.36", "command": ["sh", "-c", "sleep 5; exit 0"]}
    pod = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    spec = {"schedule": "* * * * *", "concurrencyPolicy": step["policy"],
            "jobTemplate": {"spec": {"backoffLimit": 50, "template": pod}}}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": step["name"], "namespace": "default"},
            "spec": spec}


def autoscaler(step: Step) -> Object:
    """An HPA on the CPU use of a Deployment."""
    target = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization",
                                                                        "averageUtilization": 50}}}
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": step["name"], "namespace": "default"},
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": step["name"]},
                     "minReplicas": 1, "maxReplicas": step["max"], "metrics": [target]}}


def stateful_with_claims(step: Step) -> Object:
    """A StatefulSet whose pods have a volume each."""
    name = step["name"]
    container = {"name": "app", "image": "nginx:1.27", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"],
                                                    "resources": {"requests": {"storage": "1Gi"}}}}
    spec = {"replicas": step["replicas"], "serviceName": name, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
            "volumeClaimTemplates": [claim]}
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name, "namespace": "default"},
            "spec": spec}


def team(step: Step) -> list[tuple[str, Object]]:
    """A namespace with a quota of pods, and a Deployment and a Service in it."""
    meta = {"name": "web", "namespace": TEAM}
    pod = {"containers": [{"name": "app", "image": "nginx:1.27"}]}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod}
    return [
        ("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": TEAM}}),
        ("resourcequotas", {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few", "namespace": TEAM},
                            "spec": {"hard": {"pods": str(step["pods"])}}}),
        ("deployments.apps", {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta,
                              "spec": {"replicas": step["replicas"], "selector": {"matchLabels": {"app": "web"}},
                                       "template": template}}),
        ("services", {"apiVersion": "v1", "kind": "Service", "metadata": meta,
                      "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}),
    ]
