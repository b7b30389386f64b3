"""새 오브젝트를 만드는 명령: create 종류들, run, expose, autoscale."""

from __future__ import annotations

import base64
from collections.abc import Callable

from minik8s.lab import manifests
from minik8s.lab.kubectl.apply import create_files, dry_run, show
from minik8s.lab.kubectl.args import Args, UsageError
from minik8s.lab.kubectl.session import Session, duration
from minik8s.lab.refs import of
from minik8s.objects import Object
from minik8s.wire import StatusError


def create(s: Session) -> None:
    """`create -f FILE` or `create KIND NAME ...`."""
    if s.args.all("filename"):
        create_files(s)
        return
    kind = s.args.words[0] if s.args.words else ""
    maker = MAKERS.get(_ALIASES.get(kind, kind))
    if maker is None and kind != "token":
        raise UsageError("error: must specify one of -f and -k" if not kind else f'error: unknown command "{kind}"')
    words = s.args.words[1:]
    if len(words) < 1:
        raise UsageError("error: exactly one NAME is required, got 0\nSee 'kubectl create -h' for help and examples")
    if kind == "token":
        _token(s, words[0])
        return
    if kind == "job" and s.args.get("from"):
        _make(s, _job_from(s, words[0]), "failed to create job: ")
        return
    assert maker is not None
    _make(s, maker(s.args, words), f"failed to create {_ALIASES.get(kind, kind).partition('/')[0]}: ")


def _token(s: Session, account: str) -> None:
    """`create token NAME`: a token that a ServiceAccount's holder may show for a while."""
    spec: Object = {"audiences": s.args.all("audience")} if s.args.all("audience") else {}
    if s.args.get("duration"):
        spec["expirationSeconds"] = int(duration(s.args.get("duration")))
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    try:
        answer = s.client.create_subresource("serviceaccounts", s.namespace, account, "token", body)
    except StatusError as error:
        s.complain(f"error: failed to create token: {error.message}")
        return
    s.print(answer["status"]["token"])


def _make(s: Session, obj: Object, prefix: str = "", done: str = "created", remember: str = "kubectl-create") -> None:
    words, query = dry_run(s)
    resource = of(obj, s.client).resource
    if words != " (dry run)":
        path = s.client.paths.collection(resource, s.namespace)
        try:
            obj = s.client.call("POST", path, obj, query={**query, "fieldManager": [remember]})
        except StatusError as error:
            if error.reason == "AlreadyExists" and prefix:
                s.complain(f"error: {prefix}{error.message}")
            else:
                s.complain(error)
            return
    show(s, resource, obj, f"{done}{words}")


def _base(api: str, kind: str, name: str, **more: object) -> Object:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **more}


def _deployment(a: Args, words: list[str]) -> Object:
    name, images = words[0], a.all("image")
    if not images:
        raise UsageError('error: required flag(s) "image" not set')
    containers: list[Object] = []
    for image in images:
        base = image.rpartition("/")[2].partition(":")[0].partition("@")[0]
        one: Object = {"name": base, "image": image}
        if a.command:
            one["command"] = a.command
        if a.get("port"):
            one["ports"] = [{"containerPort": int(a.get("port"))}]
        containers.append(one)
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": int(a.get("replicas", "1")),
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
    }


def _literals(a: Args) -> dict[str, str]:
    out = {}
    for pair in a.all("from-literal"):
        key, _, value = pair.partition("=")
        out[key] = value.strip("'\"")
    for pair in a.all("from-file"):
        key, equals, file = pair.partition("=")
        path = manifests.locate(file if equals else key)
        out[key if equals else path.name] = path.read_text("utf-8")
    return out


def _configmap(a: Args, words: list[str]) -> Object:
    return _base("v1", "ConfigMap", words[0], data=_literals(a))


def _secret(a: Args, words: list[str]) -> Object:
    if words[0] == "docker-registry" and len(words) > 1:
        return _docker_secret(a, words[1])
    if words[0] == "tls" and len(words) > 1:
        pair = {"tls.crt": a.get("cert"), "tls.key": a.get("key")}
        data = {k: base64.b64encode(manifests.locate(v).read_bytes()).decode() for k, v in pair.items()}
        return _base("v1", "Secret", words[1], data=data, type="kubernetes.io/tls")
    name = words[1] if words[0] == "generic" and len(words) > 1 else words[0]
    data = {k: base64.b64encode(v.encode()).decode() for k, v in _literals(a).items()}
    return _base("v1", "Secret", name, data=data, type=a.get("type", "Opaque"))


def _docker_secret(a: Args, name: str) -> Object:
    import json

    user, password = a.get("docker-username"), a.get("docker-password")
    auth = base64.b64encode(f"{user}:{password}".encode()).decode()
    entry = {"username": user, "password": password, "email": a.get("docker-email"), "auth": auth}
    server = a.get("docker-server", "https://index.docker.io/v1/")
    text = json.dumps({"auths": {server: {k: v for k, v in entry.items() if v}}})
    data = {".dockerconfigjson": base64.b64encode(text.encode()).decode()}
    return _base("v1", "Secret", name, data=data, type="kubernetes.io/dockerconfigjson")


def _job_spec(a: Args, name: str) -> Object:
    one: Object = {"name": name, "image": a.get("image")}
    if a.command:
        one["command"] = a.command
    return {"template": {"spec": {"containers": [one], "restartPolicy": a.get("restart", "Never")}}}


def _job_from(s: Session, name: str) -> Object:
    """`create job NAME --from=cronjob/X`: what the CronJob would make, now and by hand."""
    ref = s.targets([s.args.get("from")])[0]
    if ref.resource != "cronjobs.batch":
        raise UsageError(f"error: from must be an existing cronjob: {s.args.get('from')}")
    source = s.client.get(ref.resource, s.namespace, ref.name)
    template = source["spec"]["jobTemplate"]
    meta = template.get("metadata") or {}
    obj = _base("batch/v1", "Job", name, spec=template["spec"])
    obj["metadata"]["annotations"] = {"cronjob.kubernetes.io/instantiate": "manual", **(meta.get("annotations") or {})}
    obj["metadata"]["labels"] = dict(meta.get("labels") or {})
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": ref.name, "uid": source["metadata"]["uid"]}
    obj["metadata"]["ownerReferences"] = [{**owner, "controller": True}]
    return obj


def _cronjob(a: Args, words: list[str]) -> Object:
    if not a.get("schedule"):
        raise UsageError('error: required flag(s) "schedule" not set')
    spec = {
        "schedule": a.get("schedule"),
        "jobTemplate": {"metadata": {"name": words[0]}, "spec": _job_spec(a, words[0])},
    }
    spec["jobTemplate"]["spec"]["template"]["spec"]["restartPolicy"] = a.get("restart", "OnFailure")  # type: ignore[index]
    return _base("batch/v1", "CronJob", words[0], spec=spec)


def _rules(a: Args) -> list[Object]:
    verbs = [v for text in a.all("verb") for v in text.split(",")]
    rules: list[Object] = []
    for resource in [r for text in a.all("resource") for r in text.split(",")]:
        plural, _, group = resource.partition(".")
        rule: Object = {"apiGroups": [group], "resources": [plural], "verbs": verbs}
        if a.all("resource-name"):
            rule["resourceNames"] = a.all("resource-name")
        rules.append(rule)
    merged: dict[str, Object] = {}
    for rule in rules:
        one = merged.setdefault(rule["apiGroups"][0], {**rule, "resources": []})
        one["resources"] = [*one["resources"], *rule["resources"]]
    return list(merged.values())


def _subjects(a: Args, namespace: str = "default") -> list[Object]:
    api = "rbac.authorization.k8s.io"
    out: list[Object] = [{"apiGroup": api, "kind": "User", "name": n} for n in a.all("user")]
    out += [{"apiGroup": api, "kind": "Group", "name": n} for n in a.all("group")]
    for text in a.all("serviceaccount"):
        space, _, name = text.partition(":")
        out.append({"kind": "ServiceAccount", "name": name, "namespace": space})
    return out


def _binding(kind: str) -> Callable[[Args, list[str]], Object]:
    def made(a: Args, words: list[str]) -> Object:
        role = ("ClusterRole", a.get("clusterrole")) if a.get("clusterrole") else ("Role", a.get("role"))
        ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": role[0], "name": role[1]}
        return _base("rbac.authorization.k8s.io/v1", kind, words[0], roleRef=ref, subjects=_subjects(a))

    return made


def _service(a: Args, words: list[str]) -> Object:
    kinds = {
        "clusterip": "ClusterIP",
        "nodeport": "NodePort",
        "loadbalancer": "LoadBalancer",
        "externalname": "ExternalName",
    }
    if words[0] not in kinds or len(words) < 2:
        raise UsageError(f'error: unknown command "service {words[0]}"')
    name = words[1]
    spec: Object = {"type": kinds[words[0]], "selector": {"app": name}}
    ports = []
    for text in [t for many in a.all("tcp") for t in many.split(",")]:
        port, _, target = text.partition(":")
        ports.append(
            {
                "name": text.replace(":", "-"),
                "port": int(port),
                "protocol": "TCP",
                "targetPort": _int_or_text(target or port),
            }
        )
    if ports:
        spec["ports"] = ports
    if a.get("external-name"):
        spec["externalName"] = a.get("external-name")
    if a.get("clusterip"):
        spec["clusterIP"] = a.get("clusterip")
    return {**_base("v1", "Service", name, spec=spec), "metadata": {"name": name, "labels": {"app": name}}}


def _int_or_text(text: str) -> int | str:
    return int(text) if text.isdigit() else text


def _ingress(a: Args, words: list[str]) -> Object:
    rules: dict[str, list[Object]] = {}
    for rule in a.all("rule"):
        where, _, backend = rule.partition("=")
        host, _, path = where.partition("/")
        service, _, port = backend.partition(",")[0].partition(":")
        kind = "Prefix" if path.endswith("*") else "Exact"
        number = {"number": int(port)} if port.isdigit() else {"name": port}
        rules.setdefault(host, []).append(
            {
                "path": "/" + path.rstrip("*"),
                "pathType": kind,
                "backend": {"service": {"name": service, "port": number}},
            }
        )
    spec: Object = {"rules": [{**({"host": h} if h else {}), "http": {"paths": paths}} for h, paths in rules.items()]}
    if a.get("class"):
        spec["ingressClassName"] = a.get("class")
    return _base("networking.k8s.io/v1", "Ingress", words[0], spec=spec)


def _pairs(text: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in text.split(",") if "=" in pair)


def _quota(a: Args, words: list[str]) -> Object:
    spec: Object = {"hard": _pairs(a.get("hard"))}
    if a.get("scopes"):
        spec["scopes"] = a.get("scopes").split(",")
    return _base("v1", "ResourceQuota", words[0], spec=spec)


def _pdb(a: Args, words: list[str]) -> Object:
    spec: Object = {"selector": {"matchLabels": _pairs(a.get("selector"))}}
    for option, field in (("min-available", "minAvailable"), ("max-unavailable", "maxUnavailable")):
        if a.get(option):
            spec[field] = _int_or_text(a.get(option))
    return _base("policy/v1", "PodDisruptionBudget", words[0], spec=spec)


def _priorityclass(a: Args, words: list[str]) -> Object:
    return _base(
        "scheduling.k8s.io/v1",
        "PriorityClass",
        words[0],
        value=int(a.get("value", "0")),
        globalDefault=a.on("global-default"),
        description=a.get("description"),
    )


MAKERS: dict[str, Callable[[Args, list[str]], Object]] = {
    "deployment": _deployment,
    "configmap": _configmap,
    "secret": _secret,
    "namespace": lambda a, w: _base("v1", "Namespace", w[0]),
    "serviceaccount": lambda a, w: _base("v1", "ServiceAccount", w[0]),
    "job": lambda a, w: _base("batch/v1", "Job", w[0], spec=_job_spec(a, w[0])),
    "cronjob": _cronjob,
    "role": lambda a, w: _base("rbac.authorization.k8s.io/v1", "Role", w[0], rules=_rules(a)),
    "clusterrole": lambda a, w: _base("rbac.authorization.k8s.io/v1", "ClusterRole", w[0], rules=_rules(a)),
    "rolebinding": _binding("RoleBinding"),
    "clusterrolebinding": _binding("ClusterRoleBinding"),
    "service": _service,
    "ingress": _ingress,
    "quota": _quota,
    "poddisruptionbudget": _pdb,
    "priorityclass": _priorityclass,
}
_ALIASES = {
    "deploy": "deployment",
    "cm": "configmap",
    "ns": "namespace",
    "sa": "serviceaccount",
    "cj": "cronjob",
    "svc": "service",
    "ing": "ingress",
    "resourcequota": "quota",
    "pdb": "poddisruptionbudget",
    "pc": "priorityclass",
}


# ---- run, expose, autoscale ------------------------------------------------------
def run(s: Session) -> None:
    """`run NAME --image=...`: one pod."""
    if not s.args.get("image"):
        raise UsageError('error: required flag(s) "image" not set')
    name = s.args.words[0]
    labels = _pairs(s.args.get("labels")) or {"run": name}
    one: Object = {"name": name, "image": s.args.get("image"), "resources": {}}
    if s.args.command:
        one["command" if s.args.on("command") else "args"] = s.args.command
    if s.args.get("port"):
        one["ports"] = [{"containerPort": int(s.args.get("port"))}]
    if s.args.all("env"):
        one["env"] = [{"name": p.partition("=")[0], "value": p.partition("=")[2]} for p in s.args.all("env")]
    spec: Object = {"containers": [one], "dnsPolicy": "ClusterFirst", "restartPolicy": s.args.get("restart", "Always")}
    obj = {"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": labels, "name": name}, "spec": spec}
    if s.args.on("stdin") or s.args.on("rm"):
        _attached(s, obj)
        return
    _make(s, obj, remember="kubectl-run")


def _attached(s: Session, obj: Object) -> None:
    """`run -it --rm`: start, show what it prints, remove."""
    from minik8s.lab.kubectl.pods import print_logs

    name = obj["metadata"]["name"]
    s.client.create("pods", obj, namespace=s.namespace)

    def ended() -> bool:
        pod = s.client.find("pods", s.namespace, name)
        return pod is None or pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}

    timeout = s.args.get("pod-running-timeout")
    if not s.wait(ended, duration(timeout) if timeout else 60.0):
        s.complain("error: timed out waiting for the condition")
    print_logs(s, name)
    if s.args.on("rm"):
        s.client.delete("pods", s.namespace, name)
        s.print(f'pod "{name}" deleted from {s.namespace} namespace')


def expose(s: Session) -> None:
    """A Service in front of a workload, pod or another Service."""
    ref = s.targets(s.args.words)[0]
    try:
        obj = s.client.get(ref.resource, s.namespace, ref.name)
    except StatusError as error:
        s.complain(error)
        return
    spec = obj["spec"]
    selector = _pairs(s.args.get("selector")) or match_of(obj)
    template = obj if obj["kind"] == "Pod" else spec.get("template") or obj
    found = [p["containerPort"] for c in template["spec"].get("containers") or () for p in c.get("ports") or ()]
    ports = [int(p) for p in s.args.get("port").split(",")] if s.args.get("port") else found
    if not ports:
        raise UsageError(
            "error: couldn't find port via --port flag or introspection\nSee 'kubectl expose -h' for help and examples"
        )
    target = s.args.get("target-port")
    made: list[Object] = []
    for index, port in enumerate(ports):
        one: Object = {
            "port": port,
            "protocol": s.args.get("protocol", "TCP"),
            "targetPort": _int_or_text(target) if target else port,
        }
        made.append({"name": f"port-{index + 1}", **one} if len(ports) > 1 else one)
    body: Object = {"ports": made, "selector": selector}
    if s.args.get("type"):
        body["type"] = s.args.get("type")
    if s.args.get("cluster-ip"):
        body["clusterIP"] = s.args.get("cluster-ip")
    labels = obj["metadata"].get("labels")
    meta: Object = {"name": s.args.get("name") or ref.name, **({"labels": dict(labels)} if labels else {})}
    _make(
        s,
        {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": body},
        done="exposed",
        remember="kubectl-expose",
    )


def match_of(obj: Object) -> dict[str, str]:
    """The labels that select the pods of a workload, pod or service."""
    if obj["kind"] == "Pod":
        return dict(obj["metadata"].get("labels") or {})
    selector = obj["spec"].get("selector") or {}
    return dict(selector.get("matchLabels") or selector)


def autoscale(s: Session) -> None:
    """A HorizontalPodAutoscaler for a workload."""
    ref = s.targets(s.args.words)[0]
    kind = s.kind_of(ref.resource)
    assert kind is not None
    spec: Object = {
        "maxReplicas": int(s.args.get("max", "0")),
        "scaleTargetRef": {"apiVersion": kind.api_version, "kind": kind.kind, "name": ref.name},
    }
    if s.args.get("min"):
        spec["minReplicas"] = int(s.args.get("min"))
    percent = s.args.get("cpu") or s.args.get("cpu-percent")
    if percent:
        target = {"type": "Utilization", "averageUtilization": int(percent.rstrip("%"))}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    name = s.args.get("name") or ref.name
    _make(
        s,
        _base("autoscaling/v2", "HorizontalPodAutoscaler", name, spec=spec),
        done="autoscaled",
        remember="kubectl-autoscale",
    )
