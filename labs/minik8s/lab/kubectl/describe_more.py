"""`describe`: 배치와 상태와 데몬, 제한과 예산, 권한, 길."""

from __future__ import annotations

from datetime import UTC, datetime

from minik8s.lab.kubectl.describe_pod import template_lines
from minik8s.lab.kubectl.describe_text import Lines, age, annotation_lines, events, mapping, moment
from minik8s.lab.kubectl.describe_work import limit_rows, pod_counts, selector_text
from minik8s.lab.kubectl.session import Session
from minik8s.objects import Object
from minik8s.objects.meta import parse_time

NONE, UNSET = "<none>", "<unset>"


def _name(obj: Object) -> Lines:
    meta = obj["metadata"]
    return [f"Name:\t{meta['name']}", *([f"Namespace:\t{meta['namespace']}"] if meta.get("namespace") else [])]


def _marks(obj: Object) -> Lines:
    return [*mapping("Labels", obj["metadata"].get("labels")), *annotation_lines(obj["metadata"].get("annotations"))]


# ---- workloads ----------------------------------------------------------------------
def job(s: Session, obj: Object) -> Lines:
    spec, status = obj["spec"], obj.get("status") or {}
    out = [*_name(obj), f"Selector:\t{selector_text(obj)}", *_marks(obj)]
    owner = next((o for o in obj["metadata"].get("ownerReferences") or () if o.get("controller")), None)
    if owner:
        out.append(f"Controlled By:\t{owner['kind']}/{owner['name']}")
    out += [
        f"Parallelism:\t{spec.get('parallelism', UNSET)}",
        f"Completions:\t{spec.get('completions', UNSET)}",
        f"Completion Mode:\t{spec.get('completionMode', 'NonIndexed')}",
        f"Suspend:\t{str(spec.get('suspend', False)).lower()}",
        f"Backoff Limit:\t{spec.get('backoffLimit', UNSET)}",
    ]
    if spec.get("ttlSecondsAfterFinished") is not None:
        out.append(f"TTL Seconds After Finished:\t{spec['ttlSecondsAfterFinished']}")
    if status.get("startTime"):
        out.append(f"Start Time:\t{moment(status['startTime'])}")
    if status.get("completionTime"):
        took = parse_time(status["completionTime"])
        out.append(f"Completed At:\t{moment(status['completionTime'])}")
        out.append(f"Duration:\t{age(took, status.get('startTime'))}")
    if spec.get("activeDeadlineSeconds") is not None:
        out.append(f"Active Deadline Seconds:\t{spec['activeDeadlineSeconds']}s")
    counts = (status.get("active", 0), status.get("ready", 0), status.get("succeeded", 0), status.get("failed", 0))
    out.append("Pods Statuses:\t{} Active ({} Ready) / {} Succeeded / {} Failed".format(*counts))
    if spec.get("completionMode") == "Indexed":
        out.append(f"Completed Indexes:\t{status.get('completedIndexes') or NONE}")
    return out + template_lines(spec["template"]) + events(s, obj)


def cronjob(s: Session, obj: Object) -> Lines:
    spec, status, inner = obj["spec"], obj.get("status") or {}, obj["spec"]["jobTemplate"]["spec"]
    active = ", ".join(one["name"] for one in status.get("active") or ())
    deadline = spec.get("startingDeadlineSeconds")
    return [
        *_name(obj),
        *_marks(obj),
        f"Schedule:\t{spec['schedule']}",
        f"Concurrency Policy:\t{spec.get('concurrencyPolicy', '')}",
        f"Suspend:\t{spec.get('suspend', False)}",
        f"Time Zone:\t{spec.get('timeZone') or UNSET}",
        f"Successful Job History Limit:\t{spec.get('successfulJobsHistoryLimit', UNSET)}",
        f"Failed Job History Limit:\t{spec.get('failedJobsHistoryLimit', UNSET)}",
        f"Starting Deadline Seconds:\t{UNSET if deadline is None else f'{deadline}s'}",
        f"Selector:\t{selector_text({'spec': inner}) if inner.get('selector') else UNSET}",
        f"Parallelism:\t{inner.get('parallelism', UNSET)}",
        f"Completions:\t{inner.get('completions', UNSET)}",
        *template_lines(inner["template"]),
        f"Last Schedule Time:\t{moment(status['lastScheduleTime']) if status.get('lastScheduleTime') else UNSET}",
        f"Active Jobs:\t{active or NONE}",
        *events(s, obj),
    ]


def statefulset(s: Session, obj: Object) -> Lines:
    spec, status = obj["spec"], obj.get("status") or {}
    out = [
        *_name(obj),
        f"CreationTimestamp:\t{moment(obj['metadata']['creationTimestamp'])}",
        f"Selector:\t{selector_text(obj)}",
        *_marks(obj),
        f"Service Name:\t{spec.get('serviceName', '')}",
        f"Pod Management Policy:\t{spec.get('podManagementPolicy', '')}",
        f"Replicas:\t{spec['replicas']} desired | {status.get('replicas', 0)} total",
        f"Update Strategy:\t{spec['updateStrategy']['type']}",
    ]
    rolling = spec["updateStrategy"].get("rollingUpdate") or {}
    if "partition" in rolling:
        out.append(f"  Partition:\t{rolling['partition']}")
    kept = spec.get("persistentVolumeClaimRetentionPolicy")
    if kept:
        words = (f"  WhenDeleted:\t{kept['whenDeleted']}", f"  WhenScaled:\t{kept['whenScaled']}")
        out += ["Persistent Volume Claim Retention Policy:", *words]
    out += [f"Pods Status:\t{pod_counts(s, obj)}", *template_lines(spec["template"])]
    return out + _claims(spec.get("volumeClaimTemplates") or []) + events(s, obj)


def _claims(found: list[Object]) -> Lines:
    if not found:
        return [f"Volume Claims:\t{NONE}"]
    out = ["Volume Claims:"]
    for claim in found:
        meta, spec = claim["metadata"], claim["spec"]
        size = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
        modes = " ".join(spec.get("accessModes") or ())
        out += [
            f"  Name:\t{meta['name']}",
            f"  StorageClass:\t{spec.get('storageClassName', '')}",
            *mapping("  Labels", meta.get("labels")),
            *annotation_lines(meta.get("annotations"), "  Annotations"),
            f"  Capacity:\t{size or '<default>'}",
            f"  Access Modes:\t[{modes}]",
        ]
    return out


def daemonset(s: Session, obj: Object) -> Lines:
    spec, status = obj["spec"], obj.get("status") or {}
    chosen = spec["template"]["spec"].get("nodeSelector") or {}
    counted = (
        ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
        ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
        ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
        ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    )
    return [
        *_name(obj),
        f"Selector:\t{selector_text(obj)}",
        f"Node-Selector:\t{','.join(f'{k}={v}' for k, v in sorted(chosen.items())) or NONE}",
        *_marks(obj),
        *(f"{words}: {status.get(field, 0)}" for words, field in counted),
        f"Pods Status:\t{pod_counts(s, obj)}",
        *template_lines(spec["template"]),
        *events(s, obj),
    ]


# ---- limits ---------------------------------------------------------------------------
def limitrange(s: Session, obj: Object) -> Lines:
    return [*_name(obj), *limit_rows(obj)]


def budget(s: Session, obj: Object) -> Lines:
    spec, status = obj["spec"], obj.get("status") or {}
    which = "minAvailable" if "minAvailable" in spec else "maxUnavailable"
    words = {"minAvailable": "Min available", "maxUnavailable": "Max unavailable"}
    return [
        *_name(obj),
        f"{words[which]}:\t{spec.get(which, '')}",
        f"Selector:\t{selector_text(obj)}",
        "Status:",
        f"    Allowed disruptions:\t{status.get('disruptionsAllowed', 0)}",
        f"    Current:\t{status.get('currentHealthy', 0)}",
        f"    Desired:\t{status.get('desiredHealthy', 0)}",
        f"    Total:\t{status.get('expectedPods', 0)}",
        *events(s, obj),
    ]


def autoscaler(s: Session, obj: Object) -> Lines:
    spec, status = obj["spec"], obj.get("status") or {}
    target = spec["scaleTargetRef"]
    current = [one for one in status.get("currentMetrics") or () if one.get("type") == "Resource"]
    out = [
        *_name(obj),
        *_marks(obj),
        f"CreationTimestamp:\t{moment(obj['metadata']['creationTimestamp'])}",
        f"Reference:\t{target['kind']}/{target['name']}",
        "Metrics:\t( current / target )",
    ]
    for metric in spec.get("metrics") or ():
        out += _metric(metric, current)
    out += [f"Min replicas:\t{spec.get('minReplicas', UNSET)}", f"Max replicas:\t{spec['maxReplicas']}"]
    now, wanted = status.get("currentReplicas", 0), status.get("desiredReplicas", 0)
    out.append(f"{target['kind']} pods:\t{now} current / {wanted} desired")
    if status.get("conditions"):
        out += ["Conditions:", "  Type\tStatus\tReason\tMessage", "  ----\t------\t------\t-------"]
        out += [f"  {c['type']}\t{c['status']}\t{c['reason']}\t{c['message']}" for c in status["conditions"]]
    return out + events(s, obj)


def _metric(metric: Object, current: list[Object]) -> Lines:
    resource = metric.get("resource")
    if resource is None:
        return [f"  {metric['type']}\t"]
    now: Object = next((c["resource"]["current"] for c in current if c["resource"]["name"] == resource["name"]), {})
    share = resource["target"].get("averageUtilization")
    if share is None:
        have = now.get("averageValue", "<unknown>")
        return [f"  resource {resource['name']} on pods:\t{have} / {resource['target'].get('averageValue')}"]
    used = now.get("averageUtilization")
    text = "<unknown>" if used is None else f"{used}% ({now.get('averageValue')})"
    return [f"  resource {resource['name']} on pods  (as a percentage of request):\t{text} / {share}%"]


# ---- permissions --------------------------------------------------------------------------
def role(s: Session, obj: Object) -> Lines:
    lines = [
        f"  {RULES}",
        "  ---------\t-----------------\t--------------\t-----",
        *("  " + "\t".join(row) for row in rule_rows(obj.get("rules") or [])),
    ]
    return [f"Name:\t{obj['metadata']['name']}", *_marks(obj), "PolicyRule:", *lines]


RULES = "Resources\tNon-Resource URLs\tResource Names\tVerbs"
Key = tuple[str, str, str, str]


def rule_rows(rules: list[Object]) -> list[list[str]]:
    """A row below RULES for each resource or URL; `auth can-i --list` has the same."""
    rows = []
    for (resource, group, name, url), verbs in _rules(rules):
        plural, slash, sub = resource.partition("/")
        shown = f"{plural}.{group}{slash}{sub}" if group else resource
        rows.append([shown, f"[{url}]", f"[{name}]", f"[{' '.join(verbs)}]"])
    return rows


def _rules(rules: list[Object]) -> list[tuple[Key, list[str]]]:
    """Rules broken down to one resource (or URL) and name each; verbs of the same resource, nameless, together."""
    simple: dict[Key, list[str]] = {}
    others: list[tuple[Key, list[str]]] = []
    for rule in rules:
        keys = [
            (resource, group, name, "")
            for group in rule.get("apiGroups") or [""]
            for resource in rule.get("resources") or ()
            for name in rule.get("resourceNames") or [""]
        ]
        for key in [*keys, *(("", "", "", url) for url in rule.get("nonResourceURLs") or ())]:
            if key[2] or key[3]:
                others.append((key, rule["verbs"]))
                continue
            verbs = simple.setdefault(key, [])
            verbs += [verb for verb in rule["verbs"] if verb not in verbs]
    return sorted([*others, *simple.items()], key=_as_written)


def _as_written(entry: tuple[Key, list[str]]) -> str:
    """Upstream sorts rules by the text of the Go struct (rbac/v1 helpers: SortableRuleSlice)."""
    (resource, group, name, url), verbs = entry
    return f"[{' '.join(verbs)}],[{group}],[{resource}],[{name}],[{url}]"


def binding(s: Session, obj: Object) -> Lines:
    ref = obj["roleRef"]
    rows = [f"  {one['kind']}\t{one['name']}\t{one.get('namespace', '')}" for one in obj.get("subjects") or ()]
    return [
        f"Name:\t{obj['metadata']['name']}",
        *_marks(obj),
        "Role:",
        f"  Kind:\t{ref['kind']}",
        f"  Name:\t{ref['name']}",
        "Subjects:",
        "  Kind\tName\tNamespace",
        "  ----\t----\t---------",
        *rows,
    ]


def serviceaccount(s: Session, obj: Object) -> Lines:
    secrets = [one["name"] for one in obj.get("imagePullSecrets") or ()] or [NONE]
    return [
        *_name(obj),
        *_marks(obj),
        f"Image pull secrets:\t{secrets[0]}",
        *(f"\t{name}" for name in secrets[1:]),
        *events(s, obj),
    ]


# ---- cluster ------------------------------------------------------------------------------
def storageclass(s: Session, obj: Object) -> Lines:
    notes = obj["metadata"].get("annotations") or {}
    default = "Yes" if notes.get("storageclass.kubernetes.io/is-default-class") == "true" else "No"
    grows, options = obj.get("allowVolumeExpansion"), obj.get("mountOptions")
    return [
        f"Name:\t{obj['metadata']['name']}",
        f"IsDefaultClass:\t{default}",
        f"Annotations:\t{_joined(notes)}",
        f"Provisioner:\t{obj['provisioner']}",
        f"Parameters:\t{_joined(obj.get('parameters') or {})}",
        f"AllowVolumeExpansion:\t{UNSET if grows is None else grows}",
        *(["MountOptions:", *(f"  {one}" for one in options)] if options else [f"MountOptions:\t{NONE}"]),
        f"ReclaimPolicy:\t{obj.get('reclaimPolicy', '')}",
        f"VolumeBindingMode:\t{obj.get('volumeBindingMode', '')}",
        *events(s, obj),
    ]


def _joined(values: dict[str, str]) -> str:
    return ",".join(f"{k}={v}" for k, v in sorted(values.items())) or NONE


def priorityclass(s: Session, obj: Object) -> Lines:
    return [
        f"Name:\t{obj['metadata']['name']}",
        f"Value:\t{obj['value']}",
        f"GlobalDefault:\t{str(obj.get('globalDefault', False)).lower()}",
        f"PreemptionPolicy:\t{obj.get('preemptionPolicy', '')}",
        f"Description:\t{obj.get('description', '')}",
        f"Annotations:\t{_joined(obj['metadata'].get('annotations') or {})}",
        *events(s, obj),
    ]


# ---- ways -----------------------------------------------------------------------------------
def ingress(s: Session, obj: Object) -> Lines:
    spec = obj["spec"]
    entries = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    default = spec.get("defaultBackend")
    out = [
        f"Name:\t{obj['metadata']['name']}",
        *mapping("Labels", obj["metadata"].get("labels")),
        f"Namespace:\t{obj['metadata']['namespace']}",
        f"Address:\t{','.join(one.get('ip') or one.get('hostname', '') for one in entries)}",
        f"Ingress Class:\t{spec.get('ingressClassName') or NONE}",
        f"Default backend:\t{_backend(s, obj, default) if default else '<default>'}",
    ]
    for tls in spec.get("tls") or ():
        out += [] if "TLS:" in out else ["TLS:"]
        name = tls.get("secretName")
        out.append(f"  {name} terminates {','.join(tls.get('hosts') or ())}" if name else "  SNI routes")
    out += ["Rules:", "  Host\tPath\tBackends", "  ----\t----\t--------"]
    for rule in spec.get("rules") or ():
        out.append(f"  {rule.get('host') or '*'}\t")
        paths = (rule.get("http") or {}).get("paths") or ()
        out += [f"  \t{p.get('path', '')}\t{_backend(s, obj, p['backend'])}" for p in paths]
    if not spec.get("rules"):
        out.append(f"  *\t*\t{_backend(s, obj, default) if default else '<default>'}")
    return [*out, *annotation_lines(obj["metadata"].get("annotations")), *events(s, obj)]


def _backend(s: Session, obj: Object, backend: Object) -> str:
    """`web:80 (10.244.1.4:80,...)`, with what the Service leads to."""
    service = backend.get("service")
    if service is None:
        ref = backend.get("resource") or {}
        return f"APIGroup: {ref.get('apiGroup')}, Kind: {ref.get('kind')}, Name: {ref.get('name')}"
    port, name = service.get("port") or {}, service["name"]
    shown = f"{name}:{port.get('name') or port.get('number')}"
    namespace = obj["metadata"]["namespace"]
    found = s.client.find("services", namespace, name)
    if found is None:
        return f'{shown} (<error: services "{name}" not found>)'
    match: Object = next(
        (p for p in found["spec"].get("ports") or () if port in ({"name": p.get("name")}, {"number": p["port"]})), {}
    )
    return f"{shown} ({_endpoints(s, namespace, name, match.get('name', '')) or NONE})"


def _endpoints(s: Session, namespace: str, service: str, port: str) -> str:
    slices = s.client.list(
        "endpointslices.discovery.k8s.io", namespace, label_selector=f"kubernetes.io/service-name={service}"
    )
    found = [
        f"{address}:{p['port']}"
        for piece in slices
        for p in piece.get("ports") or ()
        if (p.get("name") or "") == port
        for endpoint in piece.get("endpoints") or ()
        if (endpoint.get("conditions") or {}).get("ready", True)
        for address in endpoint["addresses"]
    ]
    return ",".join(found[:3]) + (f" + {len(found) - 3} more..." if len(found) > 3 else "")


def networkpolicy(s: Session, obj: Object) -> Lines:
    spec = obj["spec"]
    types = spec.get("policyTypes") or []
    made = datetime.fromtimestamp(parse_time(obj["metadata"]["creationTimestamp"]), UTC)
    out = [*_name(obj), f"Created on:\t{made:%Y-%m-%d %H:%M:%S} +0000 UTC", *_marks(obj), "Spec:"]
    chosen = selector_text({"spec": {"selector": spec.get("podSelector") or {}}})
    everyone = f"{NONE} (Allowing the specific traffic to all pods in this namespace)"
    out.append(f"  PodSelector:     {everyone if chosen == NONE else chosen}")
    for way, peers, word in (("Ingress", "from", "From"), ("Egress", "to", "To")):
        if way not in types:
            out.append(f"  Not affecting {way.lower()} traffic")
            continue
        rules = spec.get(way.lower())
        out.append(f"  Allowing {way.lower()} traffic:")
        if not rules:
            out.append(f"    {NONE} (Selected pods are isolated for {way.lower()} connectivity)")
        for i, rule in enumerate(rules or ()):
            out += ["    ----------"] * bool(i) + _peers(rule, peers, word)
    return [*out, f"  Policy Types: {', '.join(types)}"]


def _peers(rule: Object, field: str, word: str) -> Lines:
    out = [f"    To Port: {p.get('port', '<any>')}/{p.get('protocol', 'TCP')}" for p in rule.get("ports") or ()]
    out = out or ["    To Port: <any> (traffic allowed to all ports)"]
    peers = rule.get(field) or ()
    if not peers:
        return [*out, f"    {word}: <any> (traffic not restricted by {'source' if field == 'from' else 'destination'})"]
    for peer in peers:
        out.append(f"    {word}:")
        for name, title in (("namespaceSelector", "NamespaceSelector"), ("podSelector", "PodSelector")):
            if name in peer:
                out.append(f"      {title}: {selector_text({'spec': {'selector': peer[name]}})}")
        if "ipBlock" in peer:
            block = peer["ipBlock"]
            without = ", ".join(block.get("except") or ())
            out += ["      IPBlock:", f"        CIDR: {block['cidr']}", f"        Except: {without}"]
    return out

