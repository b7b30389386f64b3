"""Volume sources of pods and PersistentVolumes. Source: ``pkg/apis/core/validation/validation.go``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minik8s.objects.frozen import Object
from minik8s.objects.quantity import parse_quantity
from minik8s.objects.validation import names
from minik8s.objects.validation.field import (
    Errors,
    GoValue,
    duplicate,
    forbidden,
    invalid,
    messages_invalid,
    not_supported,
    required,
    too_long,
)
from minik8s.objects.validation.paths import (
    local_descending_path,
    local_non_reserved_path,
    no_backsteps,
)

MODE_MESSAGE = "must be a number between 0 and 0777 (octal), both inclusive"
_HOST_PATH_TYPES = ("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket")
_VOLUME_FIELD_PATHS = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
Check = Callable[[Errors, Object, str], None]


def needs(*keys: str) -> Check:
    """A source whose named fields must not be empty."""
    def check(errors: Errors, source: Object, path: str) -> None:
        for key in keys:
            if not source.get(key):
                errors.append(required(f"{path}.{key}"))
    return check


def _mode(errors: Errors, mode: int | None, path: str) -> None:
    if mode is not None and not 0 <= mode <= 0o777:
        errors.append(invalid(path, mode, MODE_MESSAGE))


def host_path(errors: Errors, source: Object, path: str) -> None:
    if not source.get("path"):
        errors.append(required(f"{path}.path"))
        return
    no_backsteps(errors, source["path"], f"{path}.path")
    kind = source.get("type")
    if kind is not None and kind not in _HOST_PATH_TYPES:
        errors.append(not_supported(f"{path}.type", kind, _HOST_PATH_TYPES))


def key_to_path(errors: Errors, item: Object, path: str) -> None:
    if not item.get("key"):
        errors.append(required(f"{path}.key"))
    if not item.get("path"):
        errors.append(required(f"{path}.path"))
    local_non_reserved_path(errors, item.get("path", ""), f"{path}.path")
    _mode(errors, item.get("mode"), f"{path}.mode")


def _keyed(name_key: str) -> Check:
    """secret and configMap volumes."""
    def check(errors: Errors, source: Object, path: str) -> None:
        if not source.get(name_key):
            errors.append(required(f"{path}.{name_key}"))
        _mode(errors, source.get("defaultMode"), f"{path}.defaultMode")
        for i, item in enumerate(source.get("items") or ()):
            key_to_path(errors, item, f"{path}.items[{i}]")
    return check


def _empty_dir(errors: Errors, source: Object, path: str) -> None:
    limit = source.get("sizeLimit")
    if limit is not None and parse_quantity(limit).nanos < 0:
        errors.append(forbidden(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity"))


def _nfs(errors: Errors, source: Object, path: str) -> None:
    needs("server", "path")(errors, source, path)
    if not source.get("path", "").startswith("/"):
        errors.append(invalid(f"{path}.path", source.get("path", ""), "must be an absolute path"))


def _git_repo(errors: Errors, source: Object, path: str) -> None:
    needs("repository")(errors, source, path)
    local_descending_path(errors, source.get("directory", ""), f"{path}.directory")


def _disk(key: str) -> Check:
    def check(errors: Errors, source: Object, path: str) -> None:
        needs(key)(errors, source, path)
        if not 0 <= source.get("partition", 0) <= 255:
            errors.append(invalid(f"{path}.partition", source["partition"], names.in_range(1, 255)))
    return check


def _iscsi(errors: Errors, source: Object, path: str) -> None:
    needs("targetPortal")(errors, source, path)
    iqn = source.get("iqn", "")
    if not iqn:
        errors.append(required(f"{path}.iqn"))
    elif not iqn.startswith(("iqn", "eui", "naa")):
        errors.append(invalid(f"{path}.iqn", iqn, "must be valid format starting with iqn, eui, or naa"))
    if not 0 <= source.get("lun", 0) <= 255:
        errors.append(invalid(f"{path}.lun", source["lun"], names.in_range(0, 255)))
    if (source.get("chapAuthDiscovery") or source.get("chapAuthSession")) and source.get("secretRef") is None:
        errors.append(required(f"{path}.secretRef"))


def _fc(errors: Errors, source: Object, path: str) -> None:
    wwns, wwids = source.get("targetWWNs"), source.get("wwids")
    if not wwns and not wwids:
        errors.append(required(f"{path}.targetWWNs", "must specify either targetWWNs or wwids, but not both"))
    if wwns and wwids:
        errors.append(invalid(f"{path}.targetWWNs", wwns, "targetWWNs and wwids can not be specified simultaneously"))
    if wwns:
        if source.get("lun") is None:
            errors.append(required(f"{path}.lun", "lun is required if targetWWNs is specified"))
        elif not 0 <= source["lun"] <= 255:
            errors.append(invalid(f"{path}.lun", source["lun"], names.in_range(0, 255)))


def _flex(errors: Errors, source: Object, path: str) -> None:
    needs("driver")(errors, source, path)
    for key in source.get("options") or ():
        if f".{key.partition('/')[0].lower()}".endswith((".kubernetes.io", ".k8s.io")):
            errors.append(invalid(f"{path}.options[{key}]", key, "kubernetes.io and k8s.io namespaces are reserved"))


def driver_name(errors: Errors, name: str, path: str) -> None:
    if not name:
        errors.append(required(path))
    if len(name) > 63:
        errors.append(too_long(path, 63))
    messages_invalid(errors, path, name, names.dns1123_subdomain(name.lower()))


def _csi(errors: Errors, source: Object, path: str) -> None:
    driver_name(errors, source.get("driver", ""), f"{path}.driver")
    ref = source.get("nodePublishSecretRef")
    if ref is not None:
        if not ref.get("name"):
            errors.append(required(f"{path}.nodePublishSecretRef.name"))
        else:
            messages_invalid(errors, f"{path}.name", ref["name"], names.name_is_subdomain(ref["name"], False))


def csi_persistent(errors: Errors, source: Object, path: str) -> None:
    driver_name(errors, source.get("driver", ""), f"{path}.driver")
    needs("volumeHandle")(errors, source, path)
    for key in ("controllerPublishSecretRef",
                "controllerExpandSecretRef", "nodePublishSecretRef", "nodeExpandSecretRef"):
        ref = source.get(key)
        if ref is None:
            continue
        for part, check in (("name", names.dns1123_subdomain), ("namespace", names.dns1123_label)):
            if not ref.get(part):
                errors.append(required(f"{path}.{key}.{part}"))
            else:
                messages_invalid(errors, f"{path}.{key}.{part}", ref[part], check(ref[part]))


def _downward_file(errors: Errors, file: Object, path: str) -> None:
    from minik8s.objects.validation.containers import field_selector, resource_field_selector
    if not file.get("path"):
        errors.append(required(f"{path}.path"))
    local_non_reserved_path(errors, file.get("path", ""), f"{path}.path")
    field, resource = file.get("fieldRef"), file.get("resourceFieldRef")
    if field is not None:
        field_selector(errors, field, _VOLUME_FIELD_PATHS, f"{path}.fieldRef")
        if resource is not None:
            errors.append(invalid(path,
                                  "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"))
    elif resource is not None:
        resource_field_selector(errors, resource, f"{path}.resourceFieldRef", in_volume=True)
    else:
        errors.append(required(path, "one of fieldRef and resourceFieldRef is required"))
    _mode(errors, file.get("mode"), f"{path}.mode")


def _downward_api(errors: Errors, source: Object, path: str) -> None:
    _mode(errors, source.get("defaultMode"), f"{path}.defaultMode")
    for file in source.get("items") or ():
        _downward_file(errors, file, path)


def _projected(errors: Errors, source: Object, path: str) -> None:
    _mode(errors, source.get("defaultMode"), f"{path}.defaultMode")
    paths: set[str] = set()

    def once(file_path: str, shown: str) -> None:
        if file_path in paths:
            errors.append(invalid(path, shown, "conflicting duplicate paths"))
        paths.add(file_path)

    for i, projection in enumerate(source.get("sources") or ()):
        at = f"{path}.sources[{i}]"
        for key in ("secret", "configMap"):
            part = projection.get(key)
            if part is None:
                continue
            if not part.get("name"):
                errors.append(required(f"{at}.{key}.name"))
            for j, item in enumerate(part.get("items") or ()):
                key_to_path(errors, item, f"{at}.{key}.items[{j}]")
                if item.get("path"):
                    once(item["path"], part.get("name", ""))
        for file in (projection.get("downwardAPI") or {}).get("items") or ():
            _downward_file(errors, file, f"{at}.downwardAPI")
            if file.get("path"):
                once(file["path"], file["path"])
        if (token := projection.get("serviceAccountToken")) is not None:
            _token(errors, token, path, f"{at}.serviceAccountToken")
        if (bundle := projection.get("clusterTrustBundle")) is not None:
            _trust_bundle(errors, bundle, f"{at}.clusterTrustBundle")
            once(bundle.get("path", ""), bundle.get("path", ""))
        if len(projection) > 1:
            errors.append(forbidden(at, "may not specify more than 1 volume type per source"))


def _token(errors: Errors, token: Object, path: str, at: str) -> None:
    seconds = token.get("expirationSeconds", 3600)
    if seconds < 600:
        errors.append(invalid(f"{at}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes"))
    if seconds > 1 << 32:
        errors.append(invalid(f"{at}.expirationSeconds", seconds,
                              "may not specify a duration larger than 2^32 seconds"))
    if not token.get("path"):
        errors.append(required(f"{path}.path"))
    else:
        local_non_reserved_path(errors, token["path"], f"{path}.path")


def _trust_bundle(errors: Errors, bundle: Object, at: str) -> None:
    by_name, by_signer = bundle.get("name") is not None, bundle.get("signerName") is not None
    if by_name and by_signer:
        errors.append(invalid(at, GoValue(bundle, "core.v1.ClusterTrustBundleProjection"),
                              "only one of name and signerName may be used"))
    elif not by_name and not by_signer:
        errors.append(required(at, "either name or signerName must be specified"))
    if not bundle.get("path"):
        errors.append(required(f"{at}.path"))
    local_non_reserved_path(errors, bundle.get("path", ""), f"{at}.path")


def _ephemeral(errors: Errors, source: Object, path: str) -> None:
    from minik8s.objects.validation.storage_core import claim_template
    template = source.get("volumeClaimTemplate")
    if template is None:
        errors.append(required(f"{path}.volumeClaimTemplate"))
    else:
        claim_template(errors, template, f"{path}.volumeClaimTemplate")


def _image(errors: Errors, source: Object, path: str) -> None:
    from minik8s.objects.validation.containers import pull_policy
    needs("reference")(errors, source, path)
    pull_policy(errors, source.get("pullPolicy", ""), f"{path}.pullPolicy")


def _azure_disk(errors: Errors, source: Object, path: str) -> None:
    needs("diskName", "diskURI")(errors, source, path)
    for key, known in (("cachingMode", ("None", "ReadOnly", "ReadWrite")),
                       ("kind", ("Dedicated", "Managed", "Shared"))):
        if source.get(key) is not None and source[key] not in known:
            errors.append(not_supported(f"{path}.{key}", source[key], known))


# In the order in which more than one is noticed; path names are upstream's (persistentDisk, cephFS).
_POD_SOURCES: tuple[tuple[str, Check], ...] = (
    ("emptyDir", _empty_dir), ("hostPath", host_path), ("gitRepo", _git_repo), ("gcePersistentDisk", _disk("pdName")),
    ("awsElasticBlockStore", _disk("volumeID")), ("secret", _keyed("secretName")), ("nfs", _nfs), ("iscsi", _iscsi),
    ("glusterfs", needs("endpoints", "path")), ("flocker", needs()), ("persistentVolumeClaim", needs("claimName")),
    ("rbd", needs("monitors", "image")), ("cinder", needs("volumeID")), ("cephfs", needs("monitors")),
    ("quobyte", needs("registry", "volume")), ("downwardAPI", _downward_api), ("fc", _fc), ("flexVolume", _flex),
    ("configMap", _keyed("name")), ("azureFile", needs("secretName", "shareName")),
    ("vsphereVolume", needs("volumePath")), ("photonPersistentDisk", needs("pdID")),
    ("portworxVolume", needs("volumeID")), ("azureDisk", _azure_disk), ("storageos", needs("volumeName")),
    ("projected", _projected), ("scaleIO", needs("gateway", "system", "volumeName")), ("csi", _csi),
    ("ephemeral", _ephemeral), ("image", _image))
_PERSISTENT_SOURCES: tuple[tuple[str, Check], ...] = (
    ("hostPath", host_path), ("gcePersistentDisk", _disk("pdName")), ("awsElasticBlockStore", _disk("volumeID")),
    ("glusterfs", needs("endpoints", "path")), ("flocker", needs()), ("nfs", _nfs), ("rbd", needs("monitors", "image")),
    ("quobyte", needs("registry", "volume")), ("cephfs", needs("monitors")), ("iscsi", _iscsi),
    ("cinder", needs("volumeID")), ("fc", _fc), ("flexVolume", _flex), ("azureFile", needs("secretName", "shareName")),
    ("vsphereVolume", needs("volumePath")), ("photonPersistentDisk", needs("pdID")),
    ("portworxVolume", needs("volumeID")), ("azureDisk", _azure_disk),
    ("scaleIO", needs("gateway", "system", "volumeName")), ("local", needs()), ("storageos", needs("volumeName")),
    ("csi", csi_persistent))
POD_SOURCES, PERSISTENT_SOURCES = dict(_POD_SOURCES), dict(_PERSISTENT_SOURCES)
_MORE_THAN_ONE = {"cephfs": "cephFS", "downwardAPI": "downwarAPI"}
_CHECKED_AS = {"gcePersistentDisk": "persistentDisk"}
MANY = "may not specify more than 1 volume type"


def sources(errors: Errors, holder: Object, path: str, known: dict[str, Check]) -> list[str]:
    """Check the one source that ``holder`` may have; gives the names of those it has."""
    found = [key for key in known if holder.get(key) is not None]
    for i, key in enumerate(found):
        if i:
            errors.append(forbidden(f"{path}.{_MORE_THAN_ONE.get(key, key)}", MANY))
        else:
            known[key](errors, holder[key], f"{path}.{_CHECKED_AS.get(key, key)}")
    if not found:
        errors.append(required(path, "must specify a volume type"))
    return found


def pod_volumes(errors: Errors, volumes: list[Object] | None, pod_name: str, path: str) -> dict[str, Object]:
    """The volumes of a pod; gives the sound ones by name. ``pod_name`` is "" in templates."""
    found: dict[str, Object] = {}
    created = {f"{pod_name}-{v.get('name', '')}" for v in volumes or () if pod_name and v.get("ephemeral") is not None}
    for i, volume in enumerate(volumes or ()):
        at = f"{path}[{i}]"
        own: Errors = []
        name: str = volume.get("name", "")
        sources(own, volume, at, POD_SOURCES)
        if pod_name and name and volume.get("ephemeral") is not None:
            claim = f"{pod_name}-{name}"
            own += [invalid(f"{at}.name", name, f'PVC name "{claim}": {message}')
                    for message in names.name_is_subdomain(claim, False)]
        if not name:
            own.append(required(f"{at}.name"))
        else:
            messages_invalid(own, f"{at}.name", name, names.dns1123_label(name))
        if name in found:
            own.append(duplicate(f"{at}.name", name))
        if own:
            errors += own
        else:
            found[name] = volume
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName", "")
        if claim and claim in created:
            errors.append(invalid(f"{at}.persistentVolumeClaim.claimName", claim,
                                  "must not reference a PVC that gets created for an ephemeral volume"))
    return found


def is_image(volume: Any) -> bool:
    return bool(volume) and volume.get("image") is not None
