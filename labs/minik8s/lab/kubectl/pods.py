"""파드 안을 보는 명령: logs, exec, top."""

from __future__ import annotations

from minik8s.kubelet.runtime import Session as Process
from minik8s.lab.kubectl.args import UsageError
from minik8s.lab.kubectl.make import match_of
from minik8s.lab.kubectl.printer import columns
from minik8s.lab.kubectl.session import Session, duration
from minik8s.objects import Object
from minik8s.objects.quantity import milli, value
from minik8s.wire import Request, StatusError


def _pods(s: Session, word: str) -> list[Object]:
    """The pods that `NAME`, `pod/NAME`, `deploy/NAME` or a selector mean, the one that works first."""
    if s.args.get("selector"):
        return s.client.list("pods", s.namespace, label_selector=s.args.get("selector"))
    if "/" in word and not word.startswith(("pod/", "pods/", "po/")):
        ref = s.targets([word])[0]
        labels = match_of(s.client.get(ref.resource, s.namespace, ref.name))
        text = ",".join(f"{k}={v}" for k, v in sorted(labels.items()))
        return sorted(s.client.list("pods", s.namespace, label_selector=text), key=_idleness)
    return [s.client.get("pods", s.namespace, word.rpartition("/")[2])]


_PHASES = {"Running": 0, "Unknown": 1, "Pending": 2}


def _idleness(pod: Object) -> tuple[bool, int, bool]:
    """Assigned, running and ready pods come first (k8s.io/kubectl pkg/util/podutils, ByLogging)."""
    status = pod.get("status") or {}
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or ())
    return not pod["spec"].get("nodeName"), _PHASES.get(status.get("phase", ""), 3), not ready


def logs(s: Session) -> None:
    """What a container wrote; `--previous` what the one before it wrote."""
    if not s.args.words and not s.args.get("selector"):
        raise UsageError(
            "error: expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\n"
            "POD or TYPE/NAME is a required argument for the logs command\n"
            "See 'kubectl logs -h' for help and examples"
        )
    try:
        pods = _pods(s, s.args.words[0] if s.args.words else "")
    except StatusError as error:
        s.complain(f'error: error from server ({error.reason}): {error.message} in namespace "{s.namespace}"')
        return
    many = s.args.on("all-containers") or s.args.on("prefix")
    chosen = pods if s.args.get("selector") else pods[:1]
    if len(pods) > 1 and not s.args.get("selector"):
        s.err.write(f"Found {len(pods)} pods, using pod/{pods[0]['metadata']['name']}\n")
    for pod in chosen:
        names = [c["name"] for c in [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]]
        wanted = s.args.get("container") or (s.args.words[1] if len(s.args.words) > 1 else "")
        if wanted and wanted not in names:
            s.complain(
                f"error: container {wanted} is not valid for pod {pod['metadata']['name']} out of: {', '.join(names)}"
            )
            return
        for name in names if many else [wanted or pod["spec"]["containers"][0]["name"]]:
            print_logs(s, pod["metadata"]["name"], name, prefix=s.args.on("prefix"))


def print_logs(s: Session, pod: str, container: str = "", *, prefix: bool = False) -> None:
    query = {"container": container} if container else {}
    for option, field in (("previous", "previous"), ("timestamps", "timestamps")):
        if s.args.on(option):
            query[field] = "true"
    if s.args.get("tail") and s.args.get("tail") != "-1":
        query["tailLines"] = s.args.get("tail")
    if s.args.get("since"):
        query["sinceSeconds"] = str(int(duration(s.args.get("since"))))
    try:
        body = s.client.call(
            "GET", s.client.paths.object("pods", s.namespace, pod, "log"), query={k: [v] for k, v in query.items()}
        )
    except StatusError as error:
        s.complain(error)
        return
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
    mark = f"[pod/{pod}/{container}] " if prefix else ""
    s.out.write("".join(f"{mark}{line}\n" for line in text.splitlines()))


def exec_(s: Session) -> None:
    """Run a command in a container and print what it prints."""
    if not s.args.command and len(s.args.words) < 2:
        raise UsageError("error: you must specify at least one command for the container")
    command = s.args.command or s.args.words[1:]
    try:
        pod = _pods(s, s.args.words[0])[0]
    except StatusError as error:
        s.complain(error)
        return
    query = [("command", word) for word in command] + [("stdout", "true"), ("stderr", "true")]
    if s.args.get("container"):
        query.append(("container", s.args.get("container")))
    if s.args.on("stdin"):
        query.append(("stdin", "true"))
    path = s.client.paths.object("pods", s.namespace, pod["metadata"]["name"], "exec")
    merged: dict[str, list[str]] = {}
    for key, text in query:
        merged.setdefault(key, []).append(text)
    headers = {"user-agent": "kubectl"}
    response = s.handle(Request("POST", path, merged, headers, None, s.user, "kubectl"))
    if response.status >= 400:
        s.complain(StatusError.from_status(response.body, response.status))
        return
    _converse(s, response.body)


EXEC_SECONDS = 300.0
"""How long a command may run on virtual time before the small kubectl hangs up."""


def _converse(s: Session, process: Process) -> None:
    """Feed standard input, let the cluster live until the command ends, print what it printed."""
    if s.args.on("stdin"):
        process.write(s.stdin.encode())
        process.close_stdin()
    ended = s.wait(lambda: process.exit is not None, EXEC_SECONDS)
    for channel, data in process.read():
        (s.out if channel == 1 else s.err).write(data.decode("utf-8", "replace"))
    if not ended:
        process.close()
        s.complain(f"{EXEC_SECONDS:g}초가 지나도 명령이 끝나지 않아 연결을 끊었다.")
    elif process.exit:
        s.err.write(f"command terminated with exit code {process.exit}\n")
        s.code = process.exit


def top(s: Session) -> None:
    """Use of CPU and memory, from the metrics API."""
    what = s.resource(s.args.words[0]) if s.args.words else ""
    if what == "nodes":
        _top_nodes(s)
    elif what == "pods":
        _top_pods(s)
    else:
        raise UsageError("error: top knows: node, pod")


def _top_nodes(s: Session) -> None:
    rows = [["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"]]
    for entry in s.client.list("nodes.metrics.k8s.io"):
        name = entry["metadata"]["name"]
        have = s.client.get("nodes", "", name)["status"]["allocatable"]
        cpu, memory = milli(entry["usage"]["cpu"]), value(entry["usage"]["memory"])
        rows.append(
            [
                name,
                f"{cpu}m",
                f"{cpu * 100 // milli(have['cpu'])}%",
                f"{memory >> 20}Mi",
                f"{memory * 100 // value(have['memory'])}%",
            ]
        )
    for line in columns([*row, ""] for row in rows):  # the real one ends every cell, the last too
        s.print(line)


def _top_pods(s: Session) -> None:
    rows = [["NAME", "CPU(cores)", "MEMORY(bytes)"]]
    found = s.client.list("pods.metrics.k8s.io", s.scope("pods"), label_selector=s.args.get("selector"))
    for entry in found:
        if len(s.args.words) > 1 and entry["metadata"]["name"] != s.args.words[1]:
            continue
        used = [c["usage"] for c in entry["containers"]]
        cpu, memory = sum(milli(u["cpu"]) for u in used), sum(value(u["memory"]) for u in used)
        row = [entry["metadata"]["name"], f"{cpu}m", f"{memory >> 20}Mi"]
        rows.append([entry["metadata"]["namespace"], *row] if s.args.on("all-namespaces") else row)
    if s.args.on("all-namespaces"):
        rows[0].insert(0, "NAMESPACE")
    if len(rows) == 1:
        s.err.write(f"No resources found in {s.namespace} namespace.\n")
        return
    for line in columns([*row, ""] for row in rows):
        s.print(line)
