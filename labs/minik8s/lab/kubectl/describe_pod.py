"""`describe pod`와 파드 템플릿."""

from __future__ import annotations

from minik8s.lab.kubectl.describe_text import (
    Lines,
    age,
    annotation_lines,
    conditions,
    events,
    mapping,
    moment,
    tolerations,
)
from minik8s.lab.kubectl.session import Session
from minik8s.objects import Object
from minik8s.objects.meta import controller_of


def pod(s: Session, obj: Object) -> Lines:
    meta, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    out = [f"Name:\t{meta['name']}", f"Namespace:\t{meta['namespace']}"]
    if spec.get("priority") is not None:
        out.append(f"Priority:\t{spec['priority']}")
    if spec.get("priorityClassName"):
        out.append(f"Priority Class Name:\t{spec['priorityClassName']}")
    if spec.get("serviceAccountName"):
        out.append(f"Service Account:\t{spec['serviceAccountName']}")
    node = spec.get("nodeName")
    out.append(f"Node:\t{node}/{status.get('hostIP', '')}" if node else "Node:\t<none>")
    if status.get("startTime"):
        out.append(f"Start Time:\t{moment(status['startTime'])}")
    out += mapping("Labels", meta.get("labels")) + annotation_lines(meta.get("annotations"))
    if meta.get("deletionTimestamp") and status.get("phase") not in {"Failed", "Succeeded"}:
        out += [
            f"Status:\tTerminating (lasts {age(s.place.now(), meta['deletionTimestamp'])})",
            f"Termination Grace Period:\t{meta.get('deletionGracePeriodSeconds', 0)}s",
        ]
    else:
        out.append(f"Status:\t{status.get('phase', '')}")
    out += [
        f"{title}:\t{status[field]}"
        for title, field in (("Reason", "reason"), ("Message", "message"))
        if status.get(field)
    ]
    out.append(f"IP:\t{status.get('podIP', '')}")
    out += ["IPs:", *(f"  IP:\t{ip['ip']}" for ip in status["podIPs"])] if status.get("podIPs") else ["IPs:\t<none>"]
    owner = controller_of(obj)
    if owner:
        out.append(f"Controlled By:\t{owner['kind']}/{owner['name']}")
    if status.get("nominatedNodeName"):
        out.append(f"NominatedNodeName:\t{status['nominatedNodeName']}")
    for title, field, statuses in (
        ("Init Containers", "initContainers", "initContainerStatuses"),
        ("Containers", "containers", "containerStatuses"),
        ("Ephemeral Containers", "ephemeralContainers", "ephemeralContainerStatuses"),
    ):
        if spec.get(field):
            out += containers(title, spec[field], status.get(statuses) or [], obj)
    out += conditions(obj, reason=False) + volumes(spec.get("volumes") or [])
    out.append(f"QoS Class:\t{status.get('qosClass', '')}")
    out += mapping("Node-Selectors", spec.get("nodeSelector")) + tolerations(spec.get("tolerations"))
    return out + _spread(spec) + events(s, obj)


def _spread(spec: Object, pad: str = "") -> Lines:
    found = spec.get("topologySpreadConstraints") or ()
    texts = []
    for one in found:
        text = f"{one['topologyKey']}:{one['whenUnsatisfiable']} when max skew {one['maxSkew']} is exceeded"
        labels = (one.get("labelSelector") or {}).get("matchLabels")
        texts.append(
            text + (f" for selector {','.join(f'{k}={v}' for k, v in sorted(labels.items()))}" if labels else "")
        )
    if not texts:
        return []
    return [f"{pad}Topology Spread Constraints:\t{texts[0]}", *(f"{pad}\t{t}" for t in texts[1:])]


def template_lines(template: Object, pad: str = "  ") -> Lines:
    """`Pod Template:` of a workload."""
    meta, spec = template.get("metadata") or {}, template["spec"]
    out = ["Pod Template:", *mapping(f"{pad}Labels", meta.get("labels"))]
    if meta.get("annotations"):
        out += annotation_lines(meta["annotations"], f"{pad}Annotations")
    if spec.get("serviceAccountName"):
        out.append(f"  Service Account:\t{spec['serviceAccountName']}")
    if spec.get("initContainers"):
        out += containers("Init Containers", spec["initContainers"], [], None, pad)
    out += containers("Containers", spec["containers"], [], None, pad)
    out += volumes(spec.get("volumes") or [], pad) + _spread(spec, pad)
    if spec.get("priorityClassName"):
        out.append(f"  Priority Class Name:\t{spec['priorityClassName']}")
    return (
        out
        + mapping(f"{pad}Node-Selectors", spec.get("nodeSelector"))
        + tolerations(spec.get("tolerations"), f"{pad}Tolerations")
    )


def containers(title: str, found: list[Object], statuses: list[Object], pod: Object | None, pad: str = "") -> Lines:
    by_name = {status["name"]: status for status in statuses}
    out = [f"{pad}{title}:"]
    for one in found:
        status = by_name.get(one["name"])
        out.append(f"  {' ' if pad else ''}{one['name']}:")
        out += _basic(one, status) + _command(one)
        if status is not None:
            out += _state("State", status.get("state") or {})
            if (status.get("lastState") or {}).get("terminated"):
                out += _state("Last State", status["lastState"])
            out += [f"    Ready:\t{status.get('ready', False)}", f"    Restart Count:\t{status.get('restartCount', 0)}"]
        for level in ("limits", "requests"):
            values = (one.get("resources") or {}).get(level)
            if values:
                out += [f"    {level.title()}:", *(f"      {k}:\t{v}" for k, v in sorted(values.items()))]
        for name in ("liveness", "readiness", "startup"):
            if one.get(f"{name}Probe"):
                out.append(f"    {name.title()}:\t{probe(one[f'{name}Probe'])}")
        out += _environment(one, pod) + _mounts(one)
    return out


def _basic(one: Object, status: Object | None) -> Lines:
    out = [f"    Container ID:\t{status.get('containerID', '')}"] if status is not None else []
    out.append(f"    Image:\t{one['image']}")
    if status is not None:
        out.append(f"    Image ID:\t{status.get('imageID', '')}")
    ports = one.get("ports") or []
    text = ", ".join(
        f"{p['containerPort']}/{p.get('protocol', 'TCP')}" + (f" ({p['name']})" if p.get("name") else "") for p in ports
    )
    host = ", ".join(
        f"{p.get('hostPort', 0)}/{p.get('protocol', 'TCP')}" + (f" ({p['name']})" if p.get("name") else "")
        for p in ports
    )
    many = "s" if len(ports) > 1 else ""
    return [*out, f"    Port{many}:\t{text or '<none>'}", f"    Host Port{many}:\t{host or '<none>'}"]


def _command(one: Object) -> Lines:
    out: Lines = []
    for title, field in (("Command", "command"), ("Args", "args")):
        if one.get(field):
            out += [f"    {title}:", *(f"      {line}" for word in one[field] for line in word.split("\n"))]
    return out


def _state(title: str, state: Object) -> Lines:
    if "running" in state:
        return [f"    {title}:\tRunning", f"      Started:\t{moment(state['running'].get('startedAt'))}"]
    if "terminated" in state:
        end = state["terminated"]
        out = [f"    {title}:\tTerminated"]
        out += [
            f"      {name}:\t{end[field]}"
            for name, field in (("Reason", "reason"), ("Message", "message"))
            if end.get(field)
        ]
        return [
            *out,
            f"      Exit Code:\t{end['exitCode']}",
            f"      Started:\t{moment(end.get('startedAt'))}",
            f"      Finished:\t{moment(end.get('finishedAt'))}",
        ]
    reason = (state.get("waiting") or {}).get("reason")
    return [f"    {title}:\tWaiting", *([f"      Reason:\t{reason}"] if reason else [])]


def probe(one: Object) -> str:
    tail = (
        f"delay={one.get('initialDelaySeconds', 0)}s timeout={one.get('timeoutSeconds', 1)}s "
        f"period={one.get('periodSeconds', 10)}s successThreshold={one.get('successThreshold', 1)} "
        f"failureThreshold={one.get('failureThreshold', 3)}"
    )
    if "exec" in one:
        return f"exec [{' '.join(one['exec'].get('command') or [])}] {tail}"
    if "httpGet" in one:
        get = one["httpGet"]
        path = get.get("path", "/")
        return (
            f"http-get {get.get('scheme', 'HTTP').lower()}://{get.get('host', '')}:{get['port']}"
            f"{path if path.startswith('/') else '/' + path} {tail}"
        )
    if "tcpSocket" in one:
        return f"tcp-socket {one['tcpSocket'].get('host', '')}:{one['tcpSocket']['port']} {tail}"
    if "grpc" in one:
        return f"grpc <pod>:{one['grpc']['port']} {one['grpc'].get('service') or ''} {tail}"
    return f"unknown {tail}"


def _environment(one: Object, pod: Object | None) -> Lines:
    out: Lines = []
    if one.get("envFrom"):
        out.append("    Environment Variables from:")
        for source in one["envFrom"]:
            kind, ref = (
                ("ConfigMap", source.get("configMapRef"))
                if source.get("configMapRef")
                else ("Secret", source.get("secretRef") or {})
            )
            prefix = f" with prefix '{source['prefix']}'" if source.get("prefix") else ""
            out.append(f"      {ref['name']}\t{kind}{prefix}\tOptional: {str(bool(ref.get('optional'))).lower()}")
    env = one.get("env") or []
    out.append("    Environment:" + ("" if env else "\t<none>"))
    for entry in env:
        out.append(f"      {entry['name']}:\t{_value(entry, pod)}")
    return out


def _value(entry: Object, pod: Object | None) -> str:
    source = entry.get("valueFrom")
    if source is None:
        return str(entry.get("value", ""))
    if source.get("fieldRef"):
        path = source["fieldRef"]["fieldPath"]
        value: object = pod or {}
        for part in path.split("."):
            value = value.get(part, "") if isinstance(value, dict) else ""
        return f"{value if not isinstance(value, dict) else ''} ({source['fieldRef'].get('apiVersion', 'v1')}:{path})"
    if source.get("resourceFieldRef"):
        return f" ({source['resourceFieldRef']['resource']})"
    kind, words = ("secretKeyRef", "in secret") if source.get("secretKeyRef") else ("configMapKeyRef", "of config map")
    ref = source[kind]
    return (
        f"<set to the key '{ref['key']}' {words} '{ref['name']}'>\tOptional: {str(bool(ref.get('optional'))).lower()}"
    )


def _mounts(one: Object) -> Lines:
    mounts = sorted(one.get("volumeMounts") or [], key=lambda m: m["mountPath"])
    out = ["    Mounts:" + ("" if mounts else "\t<none>")]
    for mount in mounts:
        flags = ("ro" if mount.get("readOnly") else "rw") + (
            f',path="{mount["subPath"]}"' if mount.get("subPath") else ""
        )
        out.append(f"      {mount['mountPath']} from {mount['name']} ({flags})")
    return out


def volumes(found: list[Object], pad: str = "") -> Lines:
    if not found:
        return [f"{pad}Volumes:\t<none>"]
    out = [f"{pad}Volumes:"]
    for one in found:
        out.append(f"  {' ' if pad else ''}{one['name']}:")
        out += [f"    {line}" for line in _volume(one)]
    return out


def _optional(source: Object) -> str:
    return str(bool(source.get("optional"))).lower()


def _volume(one: Object) -> Lines:
    kind = next((k for k in one if k != "name"), "emptyDir")
    source = one.get(kind) or {}
    if kind == "projected":
        return ["Type:\tProjected (a volume that contains injected data from multiple sources)", *_projected(source)]
    if kind == "emptyDir":
        return [
            "Type:\tEmptyDir (a temporary directory that shares a pod's lifetime)",
            f"Medium:\t{source.get('medium', '')}",
            f"SizeLimit:\t{source.get('sizeLimit', '<unset>')}",
        ]
    if kind == "hostPath":
        return [
            "Type:\tHostPath (bare host directory volume)",
            f"Path:\t{source.get('path')}",
            f"HostPathType:\t{source.get('type', '')}",
        ]
    if kind == "configMap":
        return [
            "Type:\tConfigMap (a volume populated by a ConfigMap)",
            f"Name:\t{source.get('name')}",
            f"Optional:\t{_optional(source)}",
        ]
    if kind == "secret":
        return [
            "Type:\tSecret (a volume populated by a Secret)",
            f"SecretName:\t{source.get('secretName')}",
            f"Optional:\t{_optional(source)}",
        ]
    if kind == "persistentVolumeClaim":
        return [
            "Type:\tPersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
            f"ClaimName:\t{source.get('claimName')}",
            f"ReadOnly:\t{str(bool(source.get('readOnly'))).lower()}",
        ]
    if kind == "downwardAPI":
        items = [
            f"  {i['fieldRef']['fieldPath']} -> {i['path']}" for i in source.get("items") or () if i.get("fieldRef")
        ]
        return ["Type:\tDownwardAPI (a volume populated by information about the pod)", "Items:", *items]
    return [f"Type:\t{kind}"]


def _projected(source: Object) -> Lines:
    out: Lines = []
    for part in source.get("sources") or ():
        if "serviceAccountToken" in part:
            out.append(f"TokenExpirationSeconds:\t{part['serviceAccountToken'].get('expirationSeconds', 3600)}")
        elif "configMap" in part:
            out += [f"ConfigMapName:\t{part['configMap']['name']}", f"Optional:\t{_optional(part['configMap'])}"]
        elif "secret" in part:
            out += [f"SecretName:\t{part['secret']['name']}", f"Optional:\t{_optional(part['secret'])}"]
        elif "downwardAPI" in part:
            out.append("DownwardAPI:\ttrue")
    return out
