"""`describe`: 워크로드, 서비스, 노드와 나머지."""

from __future__ import annotations

import base64

from minik8s.lab.amounts import pod_limits, pod_requests
from minik8s.lab.kubectl.describe_pod import template_lines
from minik8s.lab.kubectl.describe_text import Lines, age, annotation_lines, conditions, events, mapping, moment
from minik8s.lab.kubectl.session import Session
from minik8s.objects import Object
from minik8s.objects.meta import controller_of
from minik8s.objects.quantity import milli, value


def selector_text(obj: Object) -> str:
    selector = obj["spec"].get("selector") or {}
    labels = selector.get("matchLabels") or ({} if "matchExpressions" in selector else selector)
    parts = [f"{k}={v}" for k, v in sorted(labels.items())]
    for one in selector.get("matchExpressions") or ():
        values = ",".join(sorted(one.get("values") or ()))
        word = {
            "In": f"{one['key']} in ({values})",
            "NotIn": f"{one['key']} notin ({values})",
            "Exists": one["key"],
            "DoesNotExist": f"!{one['key']}",
        }
        parts.append(word[one["operator"]])
    return ",".join(parts) or "<none>"


def pod_counts(s: Session, obj: Object) -> str:
    phases = {"Running": 0, "Pending": 0, "Succeeded": 0, "Failed": 0}
    for pod in s.client.list("pods", obj["metadata"]["namespace"]):
        owner = controller_of(pod)
        if owner and owner["uid"] == obj["metadata"]["uid"]:
            phases[pod.get("status", {}).get("phase", "Pending")] += 1
    return (
        f"{phases['Running']} Running / {phases['Pending']} Waiting / {phases['Succeeded']} Succeeded / "
        f"{phases['Failed']} Failed"
    )


def deployment(s: Session, obj: Object) -> Lines:
    meta, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    out = [
        f"Name:\t{meta['name']}",
        f"Namespace:\t{meta['namespace']}",
        f"CreationTimestamp:\t{moment(meta['creationTimestamp'])}",
        *mapping("Labels", meta.get("labels")),
        *annotation_lines(meta.get("annotations")),
        f"Selector:\t{selector_text(obj)}",
        f"Replicas:\t{spec['replicas']} desired | {status.get('updatedReplicas', 0)} updated | "
        f"{status.get('replicas', 0)} total | {status.get('availableReplicas', 0)} available | "
        f"{status.get('unavailableReplicas', 0)} unavailable",
        f"StrategyType:\t{spec['strategy']['type']}",
        f"MinReadySeconds:\t{spec.get('minReadySeconds', 0)}",
    ]
    rolling = spec["strategy"].get("rollingUpdate")
    if rolling:
        out.append(
            f"RollingUpdateStrategy:\t{rolling['maxUnavailable']} max unavailable, {rolling['maxSurge']} max surge"
        )
    out += template_lines(spec["template"]) + conditions(obj, reason=True)
    mine = [
        rs
        for rs in s.client.list("replicasets.apps", meta["namespace"])
        if (controller_of(rs) or {}).get("uid") == meta["uid"]
    ]
    newest = [rs for rs in mine if _same_template(rs, obj)][:1]
    old = [rs for rs in mine if rs not in newest and rs["metadata"]["uid"]]
    if mine:
        out += [f"OldReplicaSets:\t{_sets(old)}", f"NewReplicaSet:\t{_sets(newest)}"]
    return out + events(s, obj)


def _same_template(replicaset: Object, deployment: Object) -> bool:
    template = replicaset["spec"]["template"]
    labels = {k: v for k, v in (template["metadata"].get("labels") or {}).items() if k != "pod-template-hash"}
    same: bool = {**template, "metadata": {**template["metadata"], "labels": labels}} == deployment["spec"]["template"]
    return same


def _sets(found: list[Object]) -> str:
    return (
        ", ".join(
            f"{rs['metadata']['name']} ({(rs.get('status') or {}).get('replicas', 0)}/{rs['spec']['replicas']} "
            "replicas created)"
            for rs in found
        )
        or "<none>"
    )


def replicaset(s: Session, obj: Object) -> Lines:
    meta = obj["metadata"]
    owner = controller_of(obj)
    return [
        f"Name:\t{meta['name']}",
        f"Namespace:\t{meta['namespace']}",
        f"Selector:\t{selector_text(obj)}",
        *mapping("Labels", meta.get("labels")),
        *annotation_lines(meta.get("annotations")),
        *([f"Controlled By:\t{owner['kind']}/{owner['name']}"] if owner else []),
        f"Replicas:\t{(obj.get('status') or {}).get('replicas', 0)} current / {obj['spec']['replicas']} desired",
        f"Pods Status:\t{pod_counts(s, obj)}",
        *template_lines(obj["spec"]["template"]),
        *conditions(obj, reason=True),
        *events(s, obj),
    ]


def service(s: Session, obj: Object) -> Lines:
    meta, spec = obj["metadata"], obj["spec"]
    families = ",".join(spec.get("ipFamilies") or ()) or "<none>"
    out = [
        f"Name:\t{meta['name']}",
        f"Namespace:\t{meta['namespace']}",
        *mapping("Labels", meta.get("labels")),
        *annotation_lines(meta.get("annotations")),
        f"Selector:\t{selector_text(obj)}",
        f"Type:\t{spec['type']}",
    ]
    if spec.get("ipFamilyPolicy"):
        out.append(f"IP Family Policy:\t{spec['ipFamilyPolicy']}")
    out += [
        f"IP Families:\t{families}",
        f"IP:\t{spec.get('clusterIP', '')}",
        f"IPs:\t{','.join(spec.get('clusterIPs') or ()) or '<none>'}",
    ]
    if spec.get("externalName"):
        out.append(f"External Name:\t{spec['externalName']}")
    ingress = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress")
    if ingress:
        out.append(f"LoadBalancer Ingress:\t{', '.join(i.get('ip') or i.get('hostname', '') for i in ingress)}")
    for port in spec.get("ports") or ():
        name, protocol = port.get("name") or "<unset>", port["protocol"]
        out += [f"Port:\t{name}\t{port['port']}/{protocol}", f"TargetPort:\t{port['targetPort']}/{protocol}"]
        if port.get("nodePort"):
            out.append(f"NodePort:\t{name}\t{port['nodePort']}/{protocol}")
        out.append(f"Endpoints:\t{_endpoints(s, obj, port.get('name') or '')}")
    out.append(f"Session Affinity:\t{spec.get('sessionAffinity', 'None')}")
    for title, field in (
        ("External Traffic Policy", "externalTrafficPolicy"),
        ("Internal Traffic Policy", "internalTrafficPolicy"),
    ):
        if spec.get(field):
            out.append(f"{title}:\t{spec[field]}")
    return out + events(s, obj)


def _endpoints(s: Session, obj: Object, port: str) -> str:
    meta = obj["metadata"]
    found: list[str] = []
    for one in s.client.list(
        "endpointslices.discovery.k8s.io",
        meta["namespace"],
        label_selector=f"kubernetes.io/service-name={meta['name']}",
    ):
        numbers = [p.get("port") for p in one.get("ports") or () if (p.get("name") or "") == port]
        for endpoint in one.get("endpoints") or ():
            if (endpoint.get("conditions") or {}).get("ready") is not False:
                found += [f"{address}:{n}" for n in numbers for address in endpoint["addresses"]]
    if len(found) > 3:
        return f"{','.join(found[:3])} + {len(found) - 3} more..."
    return ",".join(found)


# ---- nodes --------------------------------------------------------------------
def node(s: Session, obj: Object) -> Lines:
    meta, spec, status = obj["metadata"], obj["spec"], obj["status"]
    roles = sorted(k.rpartition("/")[2] for k in meta.get("labels") or {} if k.startswith("node-role.kubernetes.io/"))
    out = [
        f"Name:\t{meta['name']}",
        f"Roles:\t{','.join(roles) or '<none>'}",
        *mapping("Labels", meta.get("labels")),
        *annotation_lines(meta.get("annotations")),
        f"CreationTimestamp:\t{moment(meta['creationTimestamp'])}",
    ]
    taints = [f"{t['key']}{'=' + t['value'] if t.get('value') else ''}:{t['effect']}" for t in spec.get("taints") or ()]
    out += [f"Taints:\t{taints[0]}", *(f"\t{t}" for t in taints[1:])] if taints else ["Taints:\t<none>"]
    out.append(f"Unschedulable:\t{str(bool(spec.get('unschedulable'))).lower()}")
    out += _lease(s, meta["name"])
    out += [
        "Conditions:",
        "  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage",
        "  ----\t------\t-----------------\t------------------\t------\t-------",
    ]
    out += [
        f"  {c['type']} \t{c['status']} \t{moment(c.get('lastHeartbeatTime'))} \t{moment(c.get('lastTransitionTime'))} "
        f"\t{c.get('reason', '')} \t{c.get('message', '')}"
        for c in status.get("conditions") or ()
    ]
    out += ["Addresses:", *(f"  {a['type']}:\t{a['address']}" for a in status.get("addresses") or ())]
    for title in ("capacity", "allocatable"):
        out += [f"{title.title()}:", *(f"  {k}:\t{v}" for k, v in sorted((status.get(title) or {}).items()))]
    info = status.get("nodeInfo") or {}
    out += ["System Info:", *(f"  {title}:\t{info.get(field, '')}" for title, field in _INFO)]
    if spec.get("podCIDR"):
        out += [f"PodCIDR:\t{spec['podCIDR']}", f"PodCIDRs:\t{','.join(spec.get('podCIDRs') or ())}"]
    return out + _load(s, obj) + events(s, obj)


_INFO = (
    ("Machine ID", "machineID"),
    ("System UUID", "systemUUID"),
    ("Boot ID", "bootID"),
    ("Kernel Version", "kernelVersion"),
    ("OS Image", "osImage"),
    ("Operating System", "operatingSystem"),
    ("Architecture", "architecture"),
    ("Container Runtime Version", "containerRuntimeVersion"),
    ("Kubelet Version", "kubeletVersion"),
)


def _lease(s: Session, name: str) -> Lines:
    lease = s.client.find("leases.coordination.k8s.io", "kube-node-lease", name)
    if lease is None:
        return [f'Lease:\tFailed to get lease: leases.coordination.k8s.io "{name}" not found']
    spec = lease["spec"]
    return [
        "Lease:",
        f"  HolderIdentity:\t{spec.get('holderIdentity', '<unset>')}",
        f"  AcquireTime:\t{moment(spec['acquireTime']) if spec.get('acquireTime') else '<unset>'}",
        f"  RenewTime:\t{moment(spec.get('renewTime'))}",
    ]


def _load(s: Session, obj: Object) -> Lines:
    have = obj["status"].get("allocatable") or obj["status"].get("capacity") or {}
    pods = [
        p
        for p in s.client.list("pods", None, field_selector=f"spec.nodeName={obj['metadata']['name']}")
        if p.get("status", {}).get("phase") not in {"Succeeded", "Failed"}
    ]
    out = [
        f"Non-terminated Pods:\t({len(pods)} in total)",
        "  Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge",
        "  ---------\t----\t\t------------\t----------\t---------------\t-------------\t---",
    ]
    sums = {"requests": dict.fromkeys(_COUNTED, 0), "limits": dict.fromkeys(_COUNTED, 0)}
    for pod in pods:
        both = {"requests": pod_requests(pod), "limits": pod_limits(pod)}
        for level, values in both.items():
            for name in _COUNTED:
                sums[level][name] += values.get(name, 0)
        cells = [_share(both[level].get(name, 0), name, have) for name in ("cpu", "memory") for level in both]
        meta = pod["metadata"]
        out.append(
            f"  {meta['namespace']}\t{meta['name']}\t\t"
            + "\t".join(cells)
            + f"\t{age(s.place.now(), meta['creationTimestamp'])}"
        )
    out += [
        "Allocated resources:",
        "  (Total limits may be over 100 percent, i.e., overcommitted.)",
        "  Resource\tRequests\tLimits",
        "  --------\t--------\t------",
    ]
    return out + [
        f"  {name}\t{_share(sums['requests'][name], name, have)}\t{_share(sums['limits'][name], name, have)}"
        for name in _COUNTED
    ]


_COUNTED = ("cpu", "memory", "ephemeral-storage")


def _share(amount: int, name: str, have: Object) -> str:
    total = (milli if name == "cpu" else value)(have[name]) if have.get(name) else 0
    percent = int(amount / total * 100) if total else 0
    return f"{_text(amount, name)} ({percent}%)"


def _text(amount: int, name: str) -> str:
    if amount == 0:
        return "0"
    if name == "cpu":
        return f"{amount}m" if amount % 1000 else str(amount // 1000)
    for unit, size in (("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)):
        if amount % size == 0:
            return f"{amount // size}{unit}"
    return str(amount)


# ---- the rest --------------------------------------------------------------------
def namespace(s: Session, obj: Object) -> Lines:
    meta, name = obj["metadata"], obj["metadata"]["name"]
    out = [
        f"Name:\t{name}",
        *mapping("Labels", meta.get("labels")),
        *annotation_lines(meta.get("annotations")),
        f"Status:\t{obj['status']['phase']}",
        "",
    ]
    quotas, limits = s.client.list("resourcequotas", name), s.client.list("limitranges", name)
    out += _quotas(quotas) if quotas else ["No resource quota.", ""]
    if not limits:
        return [*out, "No LimitRange resource."]
    return [*out, "Resource Limits", *(line for limit in limits for line in limit_rows(limit, " "))]


def _quotas(found: list[Object]) -> Lines:
    out = ["Resource Quotas"]
    for one in found:
        status = one.get("status") or {}
        out += [f"  Name:\t{one['metadata']['name']}", "  Resource\tUsed\tHard", "  --------\t---\t---"]
        out += [f"  {k}\t{(status.get('used') or {}).get(k, '0')}\t{v}" for k, v in sorted(one["spec"]["hard"].items())]
    return [*out, ""]


def limit_rows(limit: Object, pad: str = "") -> Lines:
    """The table of one LimitRange."""
    out = [
        f"{pad}Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio",
        f"{pad}----\t--------\t---\t---\t---------------\t-------------\t-----------------------",
    ]
    fields = ("min", "max", "defaultRequest", "default", "maxLimitRequestRatio")
    for one in limit["spec"]["limits"]:
        names = sorted({name for field in fields for name in one.get(field) or {}})
        for name in names:
            cells = [(one.get(field) or {}).get(name, "-") for field in fields]
            out.append(f"{pad}{one['type']}\t{name}\t" + "\t".join(cells))
    return out


def quota(s: Session, obj: Object) -> Lines:
    status = obj.get("status") or {}
    return [
        f"Name:\t{obj['metadata']['name']}",
        f"Namespace:\t{obj['metadata']['namespace']}",
        "Resource\tUsed\tHard",
        "--------\t----\t----",
        *(f"{k}\t{(status.get('used') or {}).get(k, '0')}\t{v}" for k, v in sorted(obj["spec"]["hard"].items())),
    ]


def _head(obj: Object) -> Lines:
    meta = obj["metadata"]
    return [
        f"Name:\t{meta['name']}",
        *([f"Namespace:\t{meta['namespace']}"] if meta.get("namespace") else []),
        *mapping("Labels", meta.get("labels")),
        *annotation_lines(meta.get("annotations")),
    ]


def configmap(s: Session, obj: Object) -> Lines:
    out = [*_head(obj), "", "Data", "===="]
    for k, v in sorted((obj.get("data") or {}).items()):
        out += [f"{k}:", "----", v, ""]
    return [*out, "", "BinaryData", "====", "", *events(s, obj)]


def secret(s: Session, obj: Object) -> Lines:
    data = sorted((obj.get("data") or {}).items())
    return [
        *_head(obj),
        "",
        f"Type:\t{obj.get('type', 'Opaque')}",
        "",
        "Data",
        "====",
        *(f"{k}:\t{len(base64.b64decode(v))} bytes" for k, v in data),
    ]


def claim(s: Session, obj: Object) -> Lines:
    meta, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    users = [
        p["metadata"]["name"]
        for p in s.client.list("pods", meta["namespace"])
        for v in p["spec"].get("volumes") or ()
        if (v.get("persistentVolumeClaim") or {}).get("claimName") == meta["name"]
    ]
    modes = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
    access = ",".join(modes[m] for m in status.get("accessModes") or ())
    finalizers = "[" + " ".join(meta.get("finalizers") or ()) + "]"
    return [
        f"Name:\t{meta['name']}",
        f"Namespace:\t{meta['namespace']}",
        f"StorageClass:\t{spec.get('storageClassName', '')}",
        f"Status:\t{'Terminating (lasts ' + age(s.place.now(), meta['deletionTimestamp']) + ')' if meta.get('deletionTimestamp') else status.get('phase', '')}",  # noqa: E501
        f"Volume:\t{spec.get('volumeName', '')}",
        *mapping("Labels", meta.get("labels")),
        *annotation_lines(meta.get("annotations")),
        f"Finalizers:\t{finalizers}",
        f"Capacity:\t{(status.get('capacity') or {}).get('storage', '')}",
        f"Access Modes:\t{access}",
        f"VolumeMode:\t{spec.get('volumeMode', '')}",
        f"Used By:\t{users[0] if users else '<none>'}",
        *(f"\t{name}" for name in users[1:]),
        *events(s, obj),
    ]


def anything(s: Session, obj: Object) -> Lines:
    """Kinds without a page of their own: metadata, then every field, then events."""
    out = [*_head(obj), f"API Version:\t{obj['apiVersion']}", f"Kind:\t{obj['kind']}"]
    out += _fields({k: v for k, v in obj.items() if k not in {"apiVersion", "kind"}}, 0)
    return out + events(s, obj)


_HIDDEN = {"managedFields", "labels", "annotations", "name", "namespace"}


def _fields(value: object, level: int) -> Lines:
    pad, out = "  " * level, []
    if isinstance(value, dict):
        for k, v in sorted(value.items()):
            if level == 1 and k in _HIDDEN:
                continue
            title = k[0].upper() + k[1:]
            if isinstance(v, dict | list):
                out += [f"{pad}{title}:", *_fields(v, level + 1)]
            else:
                out.append(f"{pad}{title}:\t{v}")
    elif isinstance(value, list):
        for item in value:
            out += _fields(item, level) if isinstance(item, dict | list) else [f"{pad}{item}"]
    return out
