"""The checks of the Pod Security Standards, each a pure function of a pod's metadata and spec.

A check returns (reason, detail) or None. Source: pod-security-admission policy/check_*.go; the tables at the end say
from which minor version a check holds and which baseline check a restricted one replaces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

from minik8s.objects.frozen import Object

LATEST = 36
"""The newest policy version there is in this server; later ones are judged by it."""

Violation = tuple[str, str]
Result = Violation | None


def _containers(spec: Object) -> Iterable[Object]:
    for field in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(field) or ()


def _context(holder: Object) -> Object:
    return holder.get("securityContext") or {}


def _quoted(items: Iterable[str]) -> str:
    return ", ".join(f'"{item}"' for item in items)


def _plural(word: str, count: int) -> str:
    return word if count == 1 else word + "s"


def _names(bad: list[str]) -> str:
    return f"{_plural('container', len(bad))} {_quoted(bad)}"


def _setters(pod_is_bad: bool, bad: list[str]) -> str:
    parts = ["pod"] if pod_is_bad else []
    if bad:
        parts.append(_names(bad))
    return " and ".join(parts)


# ---- baseline -------------------------------------------------------------------

_APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"


def app_armor_profile(meta: Object, spec: Object) -> Result:
    allowed = ("RuntimeDefault", "Localhost")
    values: set[str] = set()

    def is_bad(holder: Object) -> bool:
        profile = _context(holder).get("appArmorProfile")
        if profile is None or profile.get("type", "") in allowed:
            return False
        values.add(profile.get("type", ""))
        return True

    pod_bad = is_bad(spec)
    bad = [c["name"] for c in _containers(spec) if is_bad(c)]
    setters = [_setters(pod_bad, bad)] if pod_bad or bad else []
    annotations = sorted(
        f'{key}="{value}"'
        for key, value in (meta.get("annotations") or {}).items()
        if key.startswith(_APPARMOR_ANNOTATION)
        and value not in ("", "runtime/default")
        and not value.startswith("localhost/")
    )
    if annotations:
        setters.append(_plural("annotation", len(annotations)))
    if not setters:
        return None
    shown = [*sorted(values), *annotations]
    detail = f"{' and '.join(setters)} must not set AppArmor profile type to {_quoted(shown)}"
    return _plural("forbidden AppArmor profile", len(shown)), detail


_DEFAULT_CAPABILITIES = frozenset(
    {
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP"),
        *("SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    }
)


def capabilities_baseline(meta: Object, spec: Object) -> Result:
    extra: set[str] = set()
    bad: list[str] = []
    for container in _containers(spec):
        added = (_context(container).get("capabilities") or {}).get("add") or ()
        if found := set(added) - _DEFAULT_CAPABILITIES:
            extra |= found
            bad.append(container["name"])
    if not bad:
        return None
    detail = f"{_names(bad)} must not include {_quoted(sorted(extra))} in securityContext.capabilities.add"
    return "non-default capabilities", detail


def host_namespaces(meta: Object, spec: Object) -> Result:
    found = [f"{field}=true" for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field)]
    return ("host namespaces", ", ".join(found)) if found else None


def host_path_volumes(meta: Object, spec: Object) -> Result:
    bad = [v["name"] for v in spec.get("volumes") or () if v.get("hostPath") is not None]
    return ("hostPath volumes", f"{_plural('volume', len(bad))} {_quoted(bad)}") if bad else None


def host_ports(meta: Object, spec: Object) -> Result:
    ports: set[str] = set()
    bad: list[str] = []
    for container in _containers(spec):
        if found := {str(p["hostPort"]) for p in container.get("ports") or () if p.get("hostPort")}:
            ports |= found
            bad.append(container["name"])
    if not bad:
        return None
    verb = "uses" if len(bad) == 1 else "use"
    return "hostPort", f"{_names(bad)} {verb} {_plural('hostPort', len(ports))} {', '.join(sorted(ports))}"


def host_probes(meta: Object, spec: Object) -> Result:
    hosts: set[str] = set()
    bad: set[str] = set()
    for container in _containers(spec):
        handlers = [container.get(f) for f in ("livenessProbe", "readinessProbe", "startupProbe")]
        handlers += [(container.get("lifecycle") or {}).get(f) for f in ("postStart", "preStop")]
        for handler in handlers:
            for way in ("httpGet", "tcpSocket"):
                if host := ((handler or {}).get(way) or {}).get("host"):
                    hosts.add(host)
                    bad.add(container["name"])
    if not bad:
        return None
    verb = "uses" if len(bad) == 1 else "use"
    what = _plural("probe or lifecycle host", len(hosts))
    return "probe or lifecycle host", f"{_names(sorted(bad))} {verb} {what} {_quoted(sorted(hosts))}"


def privileged(meta: Object, spec: Object) -> Result:
    bad = [c["name"] for c in _containers(spec) if _context(c).get("privileged")]
    return ("privileged", f"{_names(bad)} must not set securityContext.privileged=true") if bad else None


def proc_mount(meta: Object, spec: Object) -> Result:
    kinds: set[str] = set()
    bad: list[str] = []
    for container in _containers(spec):
        kind = _context(container).get("procMount")
        if kind not in (None, "Default"):
            kinds.add(kind)
            bad.append(container["name"])
    if not bad:
        return None
    return "procMount", f"{_names(bad)} must not set securityContext.procMount to {_quoted(sorted(kinds))}"


def _se_linux(types: frozenset[str]) -> Callable[[Object, Object], Result]:
    def check(meta: Object, spec: Object) -> Result:
        bad_types: set[str] = set()
        faults: set[str] = set()

        def is_bad(holder: Object) -> bool:
            options = _context(holder).get("seLinuxOptions")
            if options is None:
                return False
            own = {f for f in ("user", "role") if options.get(f)}
            faults.update(own)
            wrong = options.get("type", "") not in types
            if wrong:
                bad_types.add(options.get("type", ""))
            return bool(own) or wrong

        pod_bad = is_bad(spec)
        bad = [c["name"] for c in _containers(spec) if is_bad(c)]
        if not pod_bad and not bad:
            return None
        data = [f"{_plural('type', len(bad_types))} {_quoted(sorted(bad_types))}"] if bad_types else []
        data += [f"{f} may not be set" for f in ("user", "role") if f in faults]
        detail = f"{_setters(pod_bad, bad)} set forbidden securityContext.seLinuxOptions: {'; '.join(data)}"
        return "seLinuxOptions", detail

    return check


def _bad_seccomp(spec: Object) -> tuple[bool, list[str], set[str]]:
    values: set[str] = set()

    def is_bad(holder: Object) -> bool:
        profile = _context(holder).get("seccompProfile")
        if profile is None or profile.get("type", "") in ("RuntimeDefault", "Localhost"):
            return False
        values.add(profile.get("type", ""))
        return True

    pod_bad = is_bad(spec)
    return pod_bad, [c["name"] for c in _containers(spec) if is_bad(c)], values


def seccomp_baseline(meta: Object, spec: Object) -> Result:
    pod_bad, bad, values = _bad_seccomp(spec)
    if not pod_bad and not bad:
        return None
    what = f"must not set securityContext.seccompProfile.type to {_quoted(sorted(values))}"
    return "seccompProfile", f"{_setters(pod_bad, bad)} {what}"


def seccomp_annotations(meta: Object, spec: Object) -> Result:
    """Before 1.19 profiles were named by annotations."""
    annotations = meta.get("annotations") or {}
    keys = ["seccomp.security.alpha.kubernetes.io/pod"]
    keys += [f"container.seccomp.security.alpha.kubernetes.io/{c['name']}" for c in _containers(spec)]
    fine = ("runtime/default", "docker/default")
    bad = sorted(
        {
            f'{k}="{annotations[k]}"'
            for k in keys
            if k in annotations and annotations[k] not in fine and not annotations[k].startswith("localhost/")
        }
    )
    return ("seccompProfile", f"forbidden {_plural('annotation', len(bad))} {', '.join(bad)}") if bad else None


def _sysctls(*, minor: int) -> Callable[[Object, Object], Result]:
    allowed = {name for since, names in _SAFE_SYSCTLS for name in names.split() if since <= minor}

    def check(meta: Object, spec: Object) -> Result:
        bad = [s["name"] for s in _context(spec).get("sysctls") or () if s["name"] not in allowed]
        return ("forbidden sysctls", ", ".join(bad)) if bad else None

    return check


_SAFE_SYSCTLS = (
    (
        0,
        "kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.tcp_syncookies net.ipv4.ping_group_range "
        "net.ipv4.ip_unprivileged_port_start",
    ),
    (27, "net.ipv4.ip_local_reserved_ports"),
    (
        29,
        "net.ipv4.tcp_keepalive_time net.ipv4.tcp_fin_timeout net.ipv4.tcp_keepalive_intvl "
        "net.ipv4.tcp_keepalive_probes",
    ),
    (32, "net.ipv4.tcp_rmem net.ipv4.tcp_wmem"),
)


def windows_host_process(meta: Object, spec: Object) -> Result:
    def is_bad(holder: Object) -> bool:
        return bool((_context(holder).get("windowsOptions") or {}).get("hostProcess"))

    pod_bad, bad = is_bad(spec), [c["name"] for c in _containers(spec) if is_bad(c)]
    if not pod_bad and not bad:
        return None
    return "hostProcess", f"{_setters(pod_bad, bad)} must not set securityContext.windowsOptions.hostProcess=true"


# ---- restricted -----------------------------------------------------------------


def allow_privilege_escalation(meta: Object, spec: Object) -> Result:
    bad = [c["name"] for c in _containers(spec) if _context(c).get("allowPrivilegeEscalation") is not False]
    detail = f"{_names(bad)} must set securityContext.allowPrivilegeEscalation=false"
    return ("allowPrivilegeEscalation != false", detail) if bad else None


def capabilities_restricted(meta: Object, spec: Object) -> Result:
    keep: list[str] = []
    adding: list[str] = []
    extra: set[str] = set()
    for container in _containers(spec):
        capabilities = _context(container).get("capabilities") or {}
        if "ALL" not in (capabilities.get("drop") or ()):
            keep.append(container["name"])
        if found := set(capabilities.get("add") or ()) - {"NET_BIND_SERVICE"}:
            extra |= found
            adding.append(container["name"])
    details = []
    if keep:
        details.append(f'{_names(keep)} must set securityContext.capabilities.drop=["ALL"]')
    if adding:
        what = f"must not include {_quoted(sorted(extra))} in securityContext.capabilities.add"
        details.append(f"{_names(adding)} {what}")
    return ("unrestricted capabilities", "; ".join(details)) if details else None


_ALLOWED_VOLUMES = ("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim")
_OTHER_ALLOWED_VOLUMES = ("projected", "secret")
_RESTRICTED_VOLUMES = (
    *("hostPath", "gcePersistentDisk", "awsElasticBlockStore", "gitRepo", "nfs", "iscsi", "glusterfs", "rbd"),
    *("flexVolume", "cinder", "cephfs", "flocker", "fc", "azureFile", "vsphereVolume", "quobyte", "azureDisk"),
    *("photonPersistentDisk", "portworxVolume", "scaleIO", "storageos"),
)


def restricted_volumes(meta: Object, spec: Object) -> Result:
    bad: list[str] = []
    kinds: set[str] = set()
    for volume in spec.get("volumes") or ():
        if any(volume.get(kind) is not None for kind in (*_ALLOWED_VOLUMES, *_OTHER_ALLOWED_VOLUMES)):
            continue
        bad.append(volume["name"])
        kinds.add(next((kind for kind in _RESTRICTED_VOLUMES if volume.get(kind) is not None), "unknown"))
    if not bad:
        return None
    verb = "uses" if len(bad) == 1 else "use"
    what = f"{_plural('restricted volume type', len(kinds))} {_quoted(sorted(kinds))}"
    return "restricted volume types", f"{_plural('volume', len(bad))} {_quoted(bad)} {verb} {what}"


def run_as_non_root(meta: Object, spec: Object) -> Result:
    pod = _context(spec).get("runAsNonRoot")
    explicit = [c["name"] for c in _containers(spec) if _context(c).get("runAsNonRoot") is False]
    if pod is False or explicit:
        detail = f"{_setters(pod is False, explicit)} must not set securityContext.runAsNonRoot=false"
        return "runAsNonRoot != true", detail
    implicit = [c["name"] for c in _containers(spec) if _context(c).get("runAsNonRoot") is None and not pod]
    detail = f"pod or {_names(implicit)} must set securityContext.runAsNonRoot=true"
    return ("runAsNonRoot != true", detail) if implicit else None


def run_as_user(meta: Object, spec: Object) -> Result:
    pod_bad = _context(spec).get("runAsUser") == 0
    bad = [c["name"] for c in _containers(spec) if _context(c).get("runAsUser") == 0]
    return ("runAsUser=0", f"{_setters(pod_bad, bad)} must not set runAsUser=0") if pod_bad or bad else None


def seccomp_restricted(meta: Object, spec: Object) -> Result:
    explicit = seccomp_baseline(meta, spec)
    if explicit is not None:
        return explicit
    pod_set = _context(spec).get("seccompProfile") is not None
    bad = [c["name"] for c in _containers(spec) if _context(c).get("seccompProfile") is None and not pod_set]
    what = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return ("seccompProfile", f"pod or {_names(bad)} {what}") if bad else None


# ---- the tables -----------------------------------------------------------------

Check = Callable[[Object, Object], Result]


class Versioned(NamedTuple):
    """A check from a minor version on."""

    since: int
    check: Check


def _unless_windows(check: Check) -> Check:
    return lambda meta, spec: None if (spec.get("os") or {}).get("name") == "windows" else check(meta, spec)


def _unless_user_namespace(check: Check) -> Check:
    return lambda meta, spec: None if spec.get("hostUsers") is False else check(meta, spec)


_SE_TYPES = frozenset({"", "container_t", "container_init_t", "container_kvm_t"})

BASELINE: dict[str, list[Versioned]] = {
    "appArmorProfile": [Versioned(0, app_armor_profile)],
    "capabilities_baseline": [Versioned(0, capabilities_baseline)],
    "hostNamespaces": [Versioned(0, host_namespaces)],
    "hostPathVolumes": [Versioned(0, host_path_volumes)],
    "hostPorts": [Versioned(0, host_ports)],
    "hostProbesAndHostLifecycle": [Versioned(34, host_probes)],
    "privileged": [Versioned(0, privileged)],
    "procMount": [Versioned(0, proc_mount), Versioned(35, _unless_user_namespace(proc_mount))],
    "seLinuxOptions": [
        Versioned(0, _se_linux(_SE_TYPES)),
        Versioned(31, _se_linux(_SE_TYPES | {"container_engine_t"})),
    ],
    "seccompProfile_baseline": [Versioned(0, seccomp_annotations), Versioned(19, seccomp_baseline)],
    "sysctls": [Versioned(minor, _sysctls(minor=minor)) for minor, _ in _SAFE_SYSCTLS],
    "windowsHostProcess": [Versioned(0, windows_host_process)],
}

RESTRICTED: dict[str, list[Versioned]] = {
    "allowPrivilegeEscalation": [
        Versioned(8, allow_privilege_escalation),
        Versioned(25, _unless_windows(allow_privilege_escalation)),
    ],
    "capabilities_restricted": [
        Versioned(22, capabilities_restricted),
        Versioned(25, _unless_windows(capabilities_restricted)),
    ],
    "procMount_restricted": [Versioned(35, proc_mount)],
    "restrictedVolumes": [Versioned(0, restricted_volumes)],
    "runAsNonRoot": [Versioned(0, run_as_non_root), Versioned(35, _unless_user_namespace(run_as_non_root))],
    "runAsUser": [Versioned(23, run_as_user), Versioned(35, _unless_user_namespace(run_as_user))],
    "seccompProfile_restricted": [
        Versioned(19, seccomp_restricted),
        Versioned(25, _unless_windows(seccomp_restricted)),
    ],
}

OVERRIDES = {
    "capabilities_restricted": "capabilities_baseline",
    "procMount_restricted": "procMount",
    "restrictedVolumes": "hostPathVolumes",
    "seccompProfile_restricted": "seccompProfile_baseline",
}
"""Restricted checks that take a baseline check's place."""


def evaluate(level: str, minor: int, meta: Object, spec: Object) -> list[Violation]:
    """All violations of a level at a minor version: baseline checks first, each group in order of its ids."""
    if level == "privileged":
        return []
    results = (check(meta, spec) for check in _checks(level, min(minor, LATEST)))
    return [found for found in results if found is not None]


@lru_cache(maxsize=128)
def _checks(level: str, minor: int) -> tuple[Check, ...]:
    checks = _in_force(BASELINE, minor)
    if level == "restricted":
        strict = _in_force(RESTRICTED, minor)
        for name in strict:
            checks.pop(OVERRIDES.get(name, ""), None)
        checks |= strict
    return tuple(checks.values())


def _in_force(table: dict[str, list[Versioned]], minor: int) -> dict[str, Check]:
    out: dict[str, Check] = {}
    for name in sorted(table):
        for version in table[name]:
            if version.since <= minor:
                out[name] = version.check
    return out
