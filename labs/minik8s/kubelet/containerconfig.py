"""From a container's spec to what the runtime starts: command, environment, files, limits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from minik8s.kubelet.fieldrefs import field_value, resource_value
from minik8s.kubelet.files import FileSystem
from minik8s.kubelet.images import Image
from minik8s.kubelet.logs import ContainerLog
from minik8s.kubelet.runtime import ContainerConfig
from minik8s.objects.frozen import Object
from minik8s.objects.quantity import milli, value

if TYPE_CHECKING:
    from minik8s.kubelet.container import ContainerWorker
    from minik8s.kubelet.pod import PodWorker

Env = dict[str, str]

_REFERENCE = re.compile(r"\$\$|\$\(([-._a-zA-Z0-9]+)\)")
_ENV_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")


class ConfigError(Exception):
    """The container cannot be configured; `reason` is its waiting reason."""

    def __init__(self, message: str, reason: str = "CreateContainerConfigError"):
        super().__init__(message)
        self.reason = reason


def container_config(worker: ContainerWorker, image: Image, log: ContainerLog) -> ContainerConfig:
    """ConfigError when something that the spec refers to is missing."""
    pod, spec = worker.pod, worker.spec
    meta = pod.pod["metadata"]
    user = _check_user(worker, image)
    env = environment(pod, spec, image)
    entrypoint = [expand(a, env) for a in spec["command"]] if spec.get("command") else list(image.entrypoint)
    arguments = [expand(a, env) for a in spec["args"]] if spec.get("args") else []
    if not arguments and not spec.get("command"):
        arguments = list(image.command)
    files = FileSystem(image.files, pod.volumes.mounts(spec, env), _read_only(spec))
    _host_files(pod, files, env["HOSTNAME"])
    limits = (spec.get("resources") or {}).get("limits") or {}
    return ContainerConfig(
        id=f"{pod.kubelet.rng.getrandbits(256):064x}",
        name=worker.name,
        image=image,
        argv=tuple(entrypoint + arguments),
        env=env,
        workdir=spec.get("workingDir") or image.workdir,
        files=files,
        log=log,
        attempt=worker.attempt + 1,
        memory_limit=value(limits["memory"]) if "memory" in limits else None,
        cpu_limit=milli(limits["cpu"]) / 1000 if "cpu" in limits else None,
        user=user,
        stdin=bool(spec.get("stdin")),
        stdin_once=bool(spec.get("stdinOnce")),
        tty=bool(spec.get("tty")),
        annotations=meta.get("annotations") or {},
    )


def environment(pod: PodWorker, spec: Object, image: Image) -> Env:
    """The image's variables, then the Services', then `envFrom`, then `env`, each over the ones before."""
    meta = pod.pod["metadata"]
    hostname = pod.pod["spec"].get("hostname") or meta["name"][:63]
    if pod.pod["spec"].get("hostNetwork"):
        hostname = pod.kubelet.name
    env: Env = {**image.env, "HOSTNAME": hostname}
    env |= pod.kubelet.service_variables(meta["namespace"], pod.pod["spec"].get("enableServiceLinks") is not False)
    for source in spec.get("envFrom") or ():
        env |= _from_source(pod, source)
    for entry in spec.get("env") or ():
        found = _entry_value(pod, spec, entry, env)
        if found is not None:
            env[entry["name"]] = found
    return env


def expand(text: str, env: Env) -> str:
    """`$(NAME)` becomes the variable's value, `$$` a dollar; an unknown name stays as it is."""
    return _REFERENCE.sub(lambda m: "$" if m[0] == "$$" else env.get(m[1], m[0]), text)


def _from_source(pod: PodWorker, source: Object) -> Env:
    prefix = source.get("prefix") or ""
    for field, kind in (("configMapRef", "configmap"), ("secretRef", "secret")):
        reference = source.get(field)
        if reference is None:
            continue
        data = pod.kubelet.texts(kind, pod.pod["metadata"]["namespace"], reference["name"])
        if data is None:
            if reference.get("optional"):
                return {}
            raise ConfigError(f'{kind} "{reference["name"]}" not found')
        return {prefix + k: v.decode(errors="replace") for k, v in data.items() if _ENV_NAME.fullmatch(prefix + k)}
    return {}


def _entry_value(pod: PodWorker, spec: Object, entry: Object, env: Env) -> str | None:
    source = entry.get("valueFrom")
    if not source:
        return expand(str(entry.get("value") or ""), env)
    if "fieldRef" in source:
        return field_value(pod, source["fieldRef"]["fieldPath"])
    if "resourceFieldRef" in source:
        return resource_value(pod, spec, source["resourceFieldRef"])
    for field, kind, title in (("configMapKeyRef", "configmap", "ConfigMap"), ("secretKeyRef", "secret", "Secret")):
        if field in source:
            return _key_value(pod, source[field], kind, title)
    return None


def _key_value(pod: PodWorker, reference: Object, kind: str, title: str) -> str | None:
    namespace = pod.pod["metadata"]["namespace"]
    data = pod.kubelet.texts(kind, namespace, reference["name"])
    if data is None:
        if reference.get("optional"):
            return None
        raise ConfigError(f'{kind} "{reference["name"]}" not found')
    if reference["key"] not in data:
        if reference.get("optional"):
            return None
        raise ConfigError(f"couldn't find key {reference['key']} in {title} {namespace}/{reference['name']}")
    return data[reference["key"]].decode(errors="replace")


def _check_user(worker: ContainerWorker, image: Image) -> int:
    own = worker.spec.get("securityContext") or {}
    shared = worker.pod.pod["spec"].get("securityContext") or {}
    user = own.get("runAsUser", shared.get("runAsUser"))
    uid = image.user if user is None else int(user)
    if own.get("runAsNonRoot", shared.get("runAsNonRoot")) and uid == 0:
        meta = worker.pod.pod["metadata"]
        who = f'(pod: "{meta["name"]}_{meta["namespace"]}({meta["uid"]})", container: {worker.name})'
        why = "container's runAsUser breaks non-root policy" if user == 0 else (
            "container has runAsNonRoot and image will run as root")
        raise ConfigError(f"{why} {who}")
    return uid


def _read_only(spec: Object) -> bool:
    return bool((spec.get("securityContext") or {}).get("readOnlyRootFilesystem"))


def _host_files(pod: PodWorker, files: FileSystem, hostname: str) -> None:
    """/etc/hosts, /etc/hostname and /etc/resolv.conf, which the kubelet manages."""
    layer = files.layer.files
    layer.setdefault("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
    layer["etc/hostname"] = f"{hostname}\n".encode()
    layer["etc/hosts"] = lambda: _hosts(pod, hostname)
    layer["etc/resolv.conf"] = lambda: _resolv_conf(pod)


def _hosts(pod: PodWorker, hostname: str) -> bytes:
    spec = pod.pod["spec"]
    names = hostname
    if spec.get("subdomain"):
        names = f"{hostname}.{spec['subdomain']}.{pod.pod['metadata']['namespace']}.svc.cluster.local\t{hostname}"
    lines = ["# Kubernetes-managed hosts file.", "127.0.0.1\tlocalhost", f"{pod.address}\t{names}"]
    lines += [f"{a['ip']}\t{chr(9).join(a.get('hostnames') or ())}" for a in spec.get("hostAliases") or ()]
    return ("\n".join(lines) + "\n").encode()


def _resolv_conf(pod: PodWorker) -> bytes:
    spec, namespace = pod.pod["spec"], pod.pod["metadata"]["namespace"]
    config = spec.get("dnsConfig") or {}
    servers, searches, options = list(config.get("nameservers") or ()), list(config.get("searches") or ()), []
    if spec.get("dnsPolicy", "ClusterFirst") not in ("None", "Default"):
        servers = [pod.kubelet.config.cluster_dns, *servers]
        domain = "cluster.local"
        searches = [f"{namespace}.svc.{domain}", f"svc.{domain}", domain, *searches]
        options = ["ndots:5"]
    options += [f"{o['name']}:{o['value']}" if o.get("value") else o["name"] for o in config.get("options") or ()]
    lines = [f"search {' '.join(searches)}"] if searches else []
    lines += [f"nameserver {s}" for s in servers] + ([f"options {' '.join(options)}"] if options else [])
    return ("\n".join(lines) + "\n").encode()
