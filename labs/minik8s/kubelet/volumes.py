"""A pod's volumes on its node: where their data is and how long it lives.

emptyDir          as long as the pod is on the node
hostPath          as long as the node's disk
PVC               as long as the PersistentVolume's storage (see Storage)
configMap, secret, downwardAPI, projected   written by the kubelet, renewed some time after a change
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from minik8s.kubelet.containerconfig import ConfigError, Env, expand
from minik8s.kubelet.fieldrefs import field_value, resource_value
from minik8s.kubelet.files import Content, Directory, Mount
from minik8s.objects.frozen import Object
from minik8s.objects.quantity import value
from minik8s.wire import StatusError

if TYPE_CHECKING:
    from minik8s.kubelet.pod import PodWorker

Files = dict[str, Content]
Mounts = list[Mount]

WRITTEN = ("configMap", "secret", "downwardAPI", "projected")


class MountError(Exception):
    """A volume that cannot be mounted (yet)."""

    def __init__(self, message: str, reason: str = "FailedMount"):
        super().__init__(message)
        self.reason = reason


class Storage:
    """The storage behind PersistentVolumes, outside of any node: by the volume's own identity."""

    def __init__(self) -> None:
        self._data: dict[str, Directory] = {}

    def directory(self, handle: str) -> Directory:
        return self._data.setdefault(handle, Directory())

    def delete(self, handle: str) -> None:
        """What a provisioner does under reclaim policy Delete."""
        self._data.pop(handle, None)

    def handles(self) -> list[str]:
        return sorted(self._data)


class PodVolumes:
    """The mounted volumes of one pod."""

    def __init__(self, pod: PodWorker):
        self._pod = pod
        self._directories: dict[str, Directory] = {}
        self.mounted = False

    def mount(self) -> None:
        """MountError names the first volume that fails; those done stay done."""
        for volume in self._pod.pod["spec"].get("volumes") or ():
            name = volume["name"]
            if name not in self._directories:
                self._directories[name] = self._directory(volume)
        self.mounted = True
        self._pod.kubelet.volumes_mounted(self._pod)

    def unmount(self) -> None:
        self._directories.clear()
        self.mounted = False

    def references(self) -> list[tuple[str, str]]:
        """(kind, name) of the ConfigMaps and Secrets that are mounted."""
        out: list[tuple[str, str]] = []
        for volume in self._pod.pod["spec"].get("volumes") or ():
            parts = volume["projected"].get("sources") or () if "projected" in volume else (volume,)
            for part in parts:
                if "configMap" in part and part["configMap"].get("name"):
                    out.append(("configmap", part["configMap"]["name"]))
                if "secret" in part:
                    name = part["secret"].get("secretName") or part["secret"].get("name")
                    if name:
                        out.append(("secret", name))
        return out

    def renew(self) -> None:
        """Write the kubelet's own volumes again; one whose source has gone keeps its last content."""
        for volume in self._pod.pod["spec"].get("volumes") or ():
            directory = self._directories.get(volume["name"])
            if directory is not None and any(k in volume for k in WRITTEN):
                try:
                    directory.replace(self._written(volume))
                except MountError:
                    continue

    def mounts(self, spec: Object, env: Env) -> Mounts:
        """Mounts of one container. ConfigError for a sub path that leaves its volume."""
        out: Mounts = []
        for entry in spec.get("volumeMounts") or ():
            sub_path = entry.get("subPath") or expand(entry.get("subPathExpr") or "", env)
            if ".." in sub_path.split("/"):
                raise ConfigError(f"failed to create subPath directory for volumeMount {entry['name']!r}")
            directory = self._directories.get(entry["name"])
            if directory is None:
                raise ConfigError(f'volume mount "{entry["name"]}" not found')
            if sub_path and entry.get("readOnly") is not True and not directory.is_dir(sub_path):
                directory.folders.update(() if sub_path in directory.files else (sub_path,))
            if sub_path and sub_path in directory.files:
                # A file that is mounted by sub path is not renewed.
                directory = Directory({sub_path: directory.files[sub_path]})
            read_only = bool(entry.get("readOnly")) or self._is_written(entry["name"])
            path = "/" + entry["mountPath"].strip("/")
            out.append(Mount(path, directory, sub_path.strip("/"), read_only))
        return out

    def ephemeral_bytes(self) -> int:
        """Bytes in emptyDir volumes."""
        volumes = self._pod.pod["spec"].get("volumes") or ()
        return sum(self._directories[v["name"]].size() for v in volumes
                   if "emptyDir" in v and v["name"] in self._directories)

    def outgrown(self) -> str:
        """The name of an emptyDir that is larger than its sizeLimit, or ""."""
        for volume in self._pod.pod["spec"].get("volumes") or ():
            limit = (volume.get("emptyDir") or {}).get("sizeLimit")
            directory = self._directories.get(volume["name"])
            if limit and directory is not None and directory.size() > value(limit):
                return str(volume["name"])
        return ""

    def _is_written(self, name: str) -> bool:
        volumes = self._pod.pod["spec"].get("volumes") or ()
        return any(v["name"] == name and any(k in v for k in WRITTEN) for v in volumes)

    def _directory(self, volume: Object) -> Directory:
        if any(kind in volume for kind in WRITTEN):
            return Directory(self._written(volume))
        if "hostPath" in volume:
            return self._host_path(volume)
        if "persistentVolumeClaim" in volume:
            return self._claim(volume["name"], volume["persistentVolumeClaim"]["claimName"])
        if "ephemeral" in volume:
            return self._claim(volume["name"], f"{self._pod.pod['metadata']['name']}-{volume['name']}")
        if "nfs" in volume:
            return self._pod.kubelet.storage.directory(f"nfs:{volume['nfs']['server']}:{volume['nfs']['path']}")
        return Directory()

    def _host_path(self, volume: Object) -> Directory:
        path, kind = volume["hostPath"]["path"], volume["hostPath"].get("type") or ""
        disk = self._pod.kubelet.disk
        if kind in ("Directory", "File") and path not in disk:
            what = "directory" if kind == "Directory" else "file"
            raise MountError(
                f'MountVolume.SetUp failed for volume "{volume["name"]}" : hostPath type check failed: '
                f"{path} is not a {what}"
            )
        return disk.setdefault(path, Directory())

    def _claim(self, volume: str, name: str) -> Directory:
        namespace = self._pod.pod["metadata"]["namespace"]
        informers = self._pod.kubelet.informers
        claim = informers("persistentvolumeclaims").get(namespace, name)
        if claim is None:
            raise MountError(f'Unable to attach or mount volumes: unmounted volumes=[{volume}]: error processing PVC '
                             f'{namespace}/{name}: failed to fetch PVC from API server: '
                             f'persistentvolumeclaims "{name}" not found')
        bound = claim["spec"].get("volumeName") and (claim.get("status") or {}).get("phase") == "Bound"
        persistent = informers("persistentvolumes").get("", claim["spec"]["volumeName"]) if bound else None
        if persistent is None:
            raise MountError(f"Unable to attach or mount volumes: unmounted volumes=[{volume}]: error processing PVC "
                             f"{namespace}/{name}: PVC is not bound")
        return self._persistent(persistent)

    def _persistent(self, persistent: Object) -> Directory:
        spec, kubelet = persistent["spec"], self._pod.kubelet
        for kind in ("hostPath", "local"):
            if kind in spec:
                return kubelet.disk.setdefault(spec[kind]["path"], Directory())
        if "csi" in spec:
            self._wait_for_attachment(persistent)
            return kubelet.storage.directory(f"csi:{spec['csi']['driver']}:{spec['csi']['volumeHandle']}")
        if "nfs" in spec:
            return kubelet.storage.directory(f"nfs:{spec['nfs']['server']}:{spec['nfs']['path']}")
        return kubelet.storage.directory(f"pv:{persistent['metadata']['uid']}")

    def _wait_for_attachment(self, persistent: Object) -> None:
        """A disk for one node is not mounted here while it is attached elsewhere; who says so is the controller."""
        if {"ReadWriteMany", "ReadOnlyMany"} & set(persistent["spec"].get("accessModes") or ()):
            return
        name, node = persistent["metadata"]["name"], self._pod.kubelet.name
        for attachment in self._pod.kubelet.informers("volumeattachments.storage.k8s.io").list():
            spec = attachment["spec"]
            if spec["source"].get("persistentVolumeName") == name and spec["nodeName"] != node:
                raise MountError(f'volume "{name}" is attached to another node', "")

    def _written(self, volume: Object) -> Files:
        try:
            if "projected" in volume:
                out: Files = {}
                for source in volume["projected"].get("sources") or ():
                    out |= self._source(source)
                return out
            return self._source(volume)
        except MountError as error:
            raise MountError(f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}') from None

    def _source(self, source: Object) -> Files:
        if "configMap" in source:
            return self._keys("configmap", source["configMap"], source["configMap"].get("name") or "")
        if "secret" in source:
            name = source["secret"].get("secretName") or source["secret"].get("name") or ""
            return self._keys("secret", source["secret"], name)
        if "downwardAPI" in source:
            return {item["path"]: self._item(item) for item in source["downwardAPI"].get("items") or ()}
        if "serviceAccountToken" in source:
            return {source["serviceAccountToken"]["path"]: lambda: self._token(source["serviceAccountToken"])}
        return {}

    def _keys(self, kind: str, source: Object, name: str) -> Files:
        namespace = self._pod.pod["metadata"]["namespace"]
        data = self._pod.kubelet.texts(kind, namespace, name)
        if data is None:
            if source.get("optional"):
                return {}
            raise MountError(f'{kind} "{name}" not found')
        items = source.get("items")
        if not items:
            return dict(data)
        out: Files = {}
        for item in items:
            if item["key"] in data:
                out[item["path"]] = data[item["key"]]
            elif not source.get("optional"):
                raise MountError(f"references non-existent {kind} key: {item['key']}")
        return out

    def _item(self, item: Object) -> bytes:
        if "fieldRef" in item:
            return field_value(self._pod, item["fieldRef"]["fieldPath"]).encode()
        containers = self._pod.pod["spec"]["containers"]
        return resource_value(self._pod, containers[0], item["resourceFieldRef"]).encode()

    def _token(self, source: Object) -> bytes:
        """Asked for when somebody reads it, which nobody can tell from asking at the start."""
        pod = self._pod.pod
        audiences = [source["audience"]] if source.get("audience") else []
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {
                "audiences": audiences,
                "expirationSeconds": source.get("expirationSeconds") or 3600,
                "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": pod["metadata"]["name"],
                                   "uid": pod["metadata"]["uid"]},
            },
        }
        account = pod["spec"].get("serviceAccountName") or "default"
        try:
            answer = self._pod.kubelet.client.create_subresource(
                "serviceaccounts", pod["metadata"]["namespace"], account, "token", body)
        except StatusError:
            return b""
        return str(answer["status"]["token"]).encode()


def decoded(kind: str, obj: Object) -> dict[str, bytes]:
    """The data of a ConfigMap or Secret as bytes."""
    if kind == "secret":
        return {k: base64.b64decode(v or "") for k, v in (obj.get("data") or {}).items()}
    out = {k: str(v).encode() for k, v in (obj.get("data") or {}).items()}
    return out | {k: base64.b64decode(v) for k, v in (obj.get("binaryData") or {}).items()}
