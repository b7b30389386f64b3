"""Warnings about pods and what makes them. Source: ``pkg/registry/{core,apps,batch}/*/strategy.go``."""

from __future__ import annotations

from collections.abc import Callable

from minik8s.objects.frozen import Object
from minik8s.objects.validation.names import dns1123_label
from minik8s.objects.warnings import pods

_LABEL = "which can result in surprising behavior; a DNS label is recommended"
_NEGATIVE = "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"
_TOO_MANY = (
    "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might"
    " not be able to track completedIndexes when a big number of indexes fail"
)
_ZONE = (
    "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see"
    " https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
)
Spec = Callable[[Object], list[str]]


def _name(obj: Object, used: str) -> list[str]:
    faults = dns1123_label(obj["metadata"].get("name", ""))
    return [f"metadata.name: this is used in {used}, {_LABEL}: [{' '.join(faults)}]"] if faults else []


def _pod(pod: Object) -> list[str]:
    return [*_name(pod, "the Pod's hostname"), *pods.of_pod(pod)]


def _template(obj: Object) -> list[str]:
    template = (obj.get("spec") or {}).get("template")
    return pods.of_pod(template, "spec.template.") if template else []


def _job(spec: Object, path: str) -> list[str]:
    notes = []
    if spec.get("completionMode") == "Indexed" and (
            (spec.get("completions") or 0) > 100_000 and (spec.get("parallelism") or 0) > 10_000):
        notes.append(f"{path}: {_TOO_MANY}")
    return notes + pods.of_pod(spec.get("template") or {}, f"{path}.template.")


def _job_spec(obj: Object) -> list[str]:
    return _job(obj["spec"], "spec")


def _cron_spec(obj: Object) -> list[str]:
    return _job((obj["spec"].get("jobTemplate") or {}).get("spec") or {}, "spec.jobTemplate.spec")


def _named(of_spec: Spec) -> Callable[[Object], list[str]]:
    def create(obj: Object) -> list[str]:
        return [*_name(obj, "Pod names and hostnames"), *of_spec(obj)]
    return create


def _changed(of_spec: Spec) -> Callable[[Object, Object], list[str]]:
    """Only when the update makes a new generation."""
    def update(new: Object, old: Object) -> list[str]:
        same = new["metadata"].get("generation") == old["metadata"].get("generation")
        return [] if same else of_spec(new)
    return update


def _claims(obj: Object, below: str) -> list[str]:
    notes: list[str] = []
    for i, claim in enumerate(obj["spec"].get("volumeClaimTemplates") or ()):
        notes += pods.claim(claim.get("spec") or {}, f"spec.volumeClaimTemplates[{i}]{below}")
    return notes + ([_NEGATIVE] if (obj["spec"].get("revisionHistoryLimit") or 0) < 0 else [])


def _set_create(obj: Object) -> list[str]:
    return [*_template(obj), *_claims(obj, "")]


def _set_update(new: Object, old: Object) -> list[str]:
    return [*_changed(_template)(new, old), *_claims(new, ".Spec")]


def _daemon_update(new: Object, old: Object) -> list[str]:
    return [] if new["spec"].get("template") == old["spec"].get("template") else _template(new)


def _cron_update(new: Object, old: Object) -> list[str]:
    return [*_changed(_cron_spec)(new, old), *([_ZONE] if "TZ" in new["spec"].get("schedule", "") else [])]


CREATE = {
    ("", "Pod"): _pod,
    ("", "PodTemplate"): lambda obj: pods.of_pod(obj.get("template") or {}, "template."),
    ("", "ReplicationController"): _named(_template),
    ("apps", "Deployment"): _named(_template),
    ("apps", "ReplicaSet"): _named(_template),
    ("apps", "DaemonSet"): _template,
    ("apps", "StatefulSet"): _set_create,
    ("batch", "Job"): _named(_job_spec),
    ("batch", "CronJob"): _named(_cron_spec),
}
UPDATE = {
    ("", "PodTemplate"): _changed(lambda obj: pods.of_pod(obj.get("template") or {}, "template.")),
    # The strategy of replication controllers hands over old and new the wrong way round.
    ("", "ReplicationController"): lambda new, old: _changed(lambda _: _template(old))(new, old),
    ("apps", "Deployment"): _changed(_template),
    ("apps", "ReplicaSet"): _changed(_template),
    ("apps", "DaemonSet"): _daemon_update,
    ("apps", "StatefulSet"): _set_update,
    ("batch", "Job"): _changed(_job_spec),
    ("batch", "CronJob"): _cron_update,
}
