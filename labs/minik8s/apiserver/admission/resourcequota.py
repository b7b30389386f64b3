"""ResourceQuota: a write is charged to every quota it matches, all or nothing, in the step before it is stored.

Source: apiserver pkg/admission/plugin/resourcequota/controller.go. The server handles one request at a time, so
check, charge and write cannot be interleaved with another's.
"""

from __future__ import annotations

from minik8s.apiserver.admission.attributes import CREATE, UPDATE, Attributes, Server, forbidden
from minik8s.apiserver.admission.plugin import Plugin
from minik8s.apiserver.admission.podresources import Resources, add, parse_list
from minik8s.apiserver.admission.quotausage import IGNORED, scopes_match, tracked, unmet_constraints, usage
from minik8s.objects.frozen import Object
from minik8s.store import Key

_BY_DELTA = frozenset({"services", "persistentvolumeclaims"})


class ResourceQuota(Plugin):
    name = "ResourceQuota"
    operations = frozenset({"CREATE", "UPDATE"})

    def concerns(self, operation: str, resource: str) -> bool:
        if resource in IGNORED or operation not in self.operations:
            return False
        return operation == CREATE or resource in _BY_DELTA or resource == "pods"

    def validate(self, a: Attributes, server: Server) -> None:
        if not a.namespace or a.object is None or a.resource == "namespaces" or not _handles(a):
            return
        quotas = server.store.list("resourcequotas", a.namespace)
        if not quotas:
            return
        charged = [(quota, used) for quota in quotas if (used := self._charge(a, quota, server)) is not None]
        name = a.name or a.meta().get("name", "")
        taken = a.operation == CREATE and server.store.get(Key(a.resource, a.namespace, name)) is not None
        if a.dry_run or taken:
            return
        for quota, used in charged:
            status = {**(quota.get("status") or {}), "used": {n: str(used[n]) for n in sorted(used)}}
            key = Key("resourcequotas", a.namespace, quota["metadata"]["name"])
            server.store.update(key, {**quota, "status": status})

    def _charge(self, a: Attributes, quota: Object, server: Server) -> Resources | None:
        """The quota's new `used` if the write changes it. Raises StatusError if it does not fit."""
        obj = a.object or {}
        status = quota.get("status") or {}
        hard, used = parse_list(status.get("hard")), parse_list(status.get("used"))
        names = tracked(a.resource, hard)
        if not names or not scopes_match(quota, a.resource, obj):
            return None
        name = quota["metadata"]["name"]
        unmet = unmet_constraints(a.resource, names, obj)
        if unmet:
            raise forbidden(a, f"failed quota: {name}: {unmet}")
        if any(n not in used for n in names):
            raise forbidden(a, f"status unknown for quota: {name}, resources: {','.join(sorted(names))}")
        delta = self._delta(a, quota, server)
        requested = {n: amount for n, amount in delta.items() if n in hard}
        if not requested:
            return None
        new = add(used, requested)
        exceeded = sorted(n for n in requested if new[n] > hard[n])
        if exceeded and a.subresource != "status":
            parts = [",".join(f"{n}={what.get(n, 0)}" for n in exceeded) for what in (requested, used, hard)]
            why = f"exceeded quota: {name}, requested: {parts[0]}, used: {parts[1]}, limited: {parts[2]}"
            raise forbidden(a, why)
        return new

    def _delta(self, a: Attributes, quota: Object, server: Server) -> Resources:
        now = server.clock.now()
        wanted = usage(a.resource, a.object or {}, now)
        negative = sorted(n for n, amount in wanted.items() if amount.nanos < 0)
        if negative:
            raise forbidden(a, f"quota usage is negative for resource(s): {','.join(negative)}")
        if a.operation == UPDATE and a.old_object is not None and scopes_match(quota, a.resource, a.old_object):
            before = usage(a.resource, a.old_object, now)
            wanted = {n: amount - before[n] if n in before else amount for n, amount in wanted.items()}
        return {n: amount for n, amount in wanted.items() if amount.nanos > 0}


def _handles(a: Attributes) -> bool:
    if a.resource == "pods" and a.operation == UPDATE:
        return a.subresource == "resize"
    return not a.subresource
