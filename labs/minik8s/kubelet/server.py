"""What a kubelet serves to the API server: logs, exec, attach, port-forward, and resource metrics.

It implements the protocols of `apiserver.providers` by structure; cluster.py puts it there.
Error texts are upstream's (pkg/kubelet/kubelet_pods.go validateContainerLogStatus, server/server.go).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minik8s.dataplane import Connection, DialError
from minik8s.kubelet.container import ContainerWorker
from minik8s.kubelet.fleet import Fleet
from minik8s.kubelet.kubelet import Kubelet
from minik8s.kubelet.lifecycle import ContainerState
from minik8s.kubelet.logs import ContainerLog, Line, LogOptions, format_line, select
from minik8s.kubelet.pod import PodWorker
from minik8s.kubelet.programs import NotFound
from minik8s.kubelet.runtime import Session
from minik8s.objects.frozen import Object
from minik8s.objects.meta import parse_time, rfc3339
from minik8s.wire import Request, Response, StatusError, bad_request, internal_error

WINDOW_SECONDS = 15.0
"""Metrics of a container exist once it has been measured twice."""

Chunks = list[bytes]


class ByteStream:
    """Bytes as they come: `drain` what is there, `wake` when there is more, `closed` after the last."""

    def __init__(self, first: bytes = b""):
        self._chunks: Chunks = [first] if first else []
        self.wake: Callable[[], None] | None = None
        self.closed = False
        self.on_close: Callable[[], object] | None = None

    def put(self, data: bytes) -> None:
        self._chunks.append(data)
        if len(self._chunks) == 1:
            self._ring()

    def drain(self) -> Chunks:
        out, self._chunks = self._chunks, []
        return out

    def end(self) -> None:
        self.closed = True
        self._ring()

    def close(self) -> None:
        """The reader goes away."""
        self.closed = True
        if self.on_close is not None:
            self.on_close()

    def _ring(self) -> None:
        if self.wake is not None:
            self.wake()


class PortForward:
    """A port-forward session: connections into a pod's own network."""

    def __init__(self, worker: PodWorker):
        self._worker = worker

    def dial(self, port: int) -> Connection:
        """DialError when nothing listens (kubectl shows `connection refused`)."""
        sandbox = self._worker.sandbox
        if sandbox is None:
            raise DialError("pod is not running")
        return sandbox.localhost(port)


class KubeletServer:
    """The providers of a cluster whose nodes are `fleet`'s."""

    def __init__(self, fleet: Fleet):
        self._fleet = fleet

    # ---- logs ------------------------------------------------------------------
    def logs(self, pod: Object, container: str, options: Object) -> Response:
        """text/plain bytes; a ByteStream when `follow` is asked for. options: PodLogOptions by JSON names."""
        meta = pod["metadata"]
        worker = self._worker(pod, f"containerLogs/{meta['namespace']}/{meta['name']}/{container}")
        wanted = log_options(container, options)
        log = self._log(pod, worker, wanted)
        now = worker.host.now()
        headers = {"content-type": "text/plain"}
        data = select(list(log.lines), wanted, now)
        if not wanted.follow or log.closed:
            return Response(200, data, headers)
        return Response(200, None, headers, stream=_follow(log, data, wanted))  # type: ignore[arg-type]

    def _log(self, pod: Object, worker: PodWorker, options: LogOptions) -> ContainerLog:
        name = pod["metadata"]["name"]
        container = worker.container(options.container)
        if container is None:
            raise bad_request(f"container {options.container} is not valid for pod {name}")
        where = f'container "{container.name}" in pod "{name}"'
        current, previous = container.current, container.previous
        if options.previous:
            if current is not None and current.exit is not None and container.state is not ContainerState.FINISHED:
                previous = current
            if previous is None:
                raise bad_request(f"previous terminated {where} not found")
            return previous.log
        if current is None or (current.started_at is None and previous is None):
            raise bad_request(f"{where} is {_waiting(container)}")
        return current.log if current.started_at is not None or previous is None else previous.log

    # ---- exec, attach, portforward -----------------------------------------------
    def connect(self, pod: Object, subresource: str, options: Object, request: Request) -> Response:
        """101 with a Session (exec, attach) or a PortForward as its body."""
        meta = pod["metadata"]
        worker = self._worker(pod, f"{subresource}/{meta['namespace']}/{meta['name']}")
        if subresource == "portforward":
            return Response(101, PortForward(worker))
        container = worker.container(options.get("container") or pod["spec"]["containers"][0]["name"])
        running = container.running if container is not None else None
        if container is None or running is None:
            name = options.get("container") or pod["spec"]["containers"][0]["name"]
            raise StatusError(500, "InternalError", f'container not found ("{name}")')
        if subresource == "attach":
            return Response(101, running.attach(stdin=bool(options.get("stdin"))))
        argv = tuple(options.get("command") or ())
        return Response(101, self.exec(worker, container, argv, stdin=bool(options.get("stdin")),
                                       tty=bool(options.get("tty"))))

    def exec(
        self, worker: PodWorker, container: ContainerWorker, argv: tuple[str, ...], *, stdin: bool = False,
        tty: bool = False,
    ) -> Session:
        """A command in a running container. StatusError in containerd's words when there is no such program."""
        running = container.running
        assert running is not None
        worker.record("exec", container=container.name, command=list(argv))
        try:
            return running.exec(argv, stdin=stdin, tty=tty)
        except NotFound as error:
            why = str(error).partition("container init: ")[2] or str(error)
            raise internal_error(
                "error executing command in container: failed to exec in container: failed to start exec: OCI runtime "
                f"exec failed: exec failed: unable to start container process: {why}"
            ) from None

    # ---- metrics -----------------------------------------------------------------
    @property
    def measures(self) -> bool:
        """Whether there is anything to measure: without a node of ours there is no metrics API."""
        return bool(self._fleet.names())

    def node_metrics(self, node: Object) -> Object | None:
        """metrics.k8s.io NodeMetrics, or None when the node is not heard of."""
        name = node["metadata"]["name"]
        if name not in self._fleet or not self._reachable(self._fleet[name]):
            return None
        kubelet = self._fleet[name]
        cpu, memory = 0.05, 300 << 20
        for worker in kubelet.pods.values():
            for container in worker.containers():
                usage = container.running.usage() if container.running is not None else None
                if usage is not None:
                    cpu, memory = cpu + usage.cpu, memory + usage.memory
        return {"kind": "NodeMetrics", "apiVersion": "metrics.k8s.io/v1beta1",
                "metadata": _metadata(node, kubelet), **_sample(kubelet), "usage": _usage(cpu, memory)}

    def pod_metrics(self, pod: Object) -> Object | None:
        """metrics.k8s.io PodMetrics; None until every running container has been measured."""
        node = pod["spec"].get("nodeName") or ""
        if node not in self._fleet or not self._reachable(self._fleet[node]):
            return None
        kubelet = self._fleet[node]
        worker = kubelet.pods.get(pod["metadata"]["uid"])
        if worker is None:
            return None
        containers = []
        for container in worker.containers():
            running, instance = container.running, container.current
            if running is None or instance is None or instance.started_at is None:
                continue
            if kubelet.host.now() - instance.started_at < WINDOW_SECONDS:
                return None
            usage = running.usage()
            if usage is None:
                return None
            containers.append({"name": container.name, "usage": _usage(usage.cpu, usage.memory)})
        if not containers:
            return None
        return {"kind": "PodMetrics", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": _metadata(pod, kubelet),
                **_sample(kubelet), "containers": containers}

    # ---- finding -----------------------------------------------------------------
    def _worker(self, pod: Object, path: str) -> PodWorker:
        node = pod["spec"].get("nodeName") or ""
        if not node:
            raise bad_request(f"pod {pod['metadata']['name']} does not have a host assigned")
        if node not in self._fleet:
            raise internal_error(f'Get "https://{node}:10250/{path}": dial tcp: lookup {node}: no such host')
        kubelet = self._fleet[node]
        if not self._reachable(kubelet):
            raise StatusError(500, "", f'Get "https://{kubelet.address}:10250/{path}": dial tcp '
                                       f"{kubelet.address}:10250: connect: no route to host")
        worker = kubelet.pods.get(pod["metadata"]["uid"])
        if worker is None:
            first = pod["spec"]["containers"][0]["name"]
            raise bad_request(f'container "{first}" in pod "{pod["metadata"]["name"]}" is waiting to start: '
                              "ContainerCreating")
        return worker

    @staticmethod
    def _reachable(kubelet: Kubelet) -> bool:
        return kubelet.running and kubelet.connected and not kubelet.host.frozen


def log_options(container: str, options: Object) -> LogOptions:
    """From PodLogOptions by their JSON names."""
    since = options.get("sinceTime")
    return LogOptions(
        container=container,
        previous=bool(options.get("previous")),
        follow=bool(options.get("follow")),
        timestamps=bool(options.get("timestamps")),
        tail_lines=_int(options.get("tailLines")),
        since_seconds=_int(options.get("sinceSeconds")),
        since_time=parse_time(since) if since else None,
        limit_bytes=_int(options.get("limitBytes")),
        stream=options.get("stream") or "All",
    )


def _int(value: Any) -> int | None:
    return None if value is None else int(value)


def _waiting(container: ContainerWorker) -> str:
    if container.reason in ("ErrImagePull", "ImagePullBackOff"):
        return "waiting to start: trying and failing to pull image"
    if container.reason:
        return f"waiting to start: {container.reason}"
    pod = container.pod
    first = pod.inits and any(not c.finished for c in pod.inits if c.kind == "init")
    return f"waiting to start: {'PodInitializing' if first else 'ContainerCreating'}"


def _follow(log: ContainerLog, first: bytes, options: LogOptions) -> ByteStream:
    stream = ByteStream(first)

    def line(entry: Line) -> None:
        stream.put(format_line(entry, options.timestamps))

    log.listeners.append(line)
    log.on_close.append(stream.end)
    stream.on_close = lambda: log.listeners.remove(line) if line in log.listeners else None
    return stream


def _metadata(obj: Object, kubelet: Kubelet) -> Object:
    meta = obj["metadata"]
    out: Object = {"name": meta["name"]}
    if meta.get("namespace"):
        out["namespace"] = meta["namespace"]
    out["creationTimestamp"] = rfc3339(kubelet.host.now())
    if meta.get("labels"):
        out["labels"] = dict(meta["labels"])
    return out


def _sample(kubelet: Kubelet) -> Object:
    return {"timestamp": rfc3339(kubelet.host.now()), "window": "15s"}


def _usage(cpu: float, memory: int) -> Object:
    return {"cpu": f"{round(cpu * 1e9)}n" if cpu else "0", "memory": f"{memory >> 10}Ki"}
