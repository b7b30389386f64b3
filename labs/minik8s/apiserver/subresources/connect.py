"""What a pod's kubelet or the pod itself serves: log, exec, attach, portforward and proxy.

The server checks the request and finds the pod; the providers do the rest (`minik8s.apiserver.providers`).
Source: kubernetes pkg/registry/core/pod/strategy.go and pkg/registry/core/pod/rest.
"""

from __future__ import annotations

import re
from typing import Any

from minik8s.apiserver.call import Call
from minik8s.apiserver.errors import invalid_fields
from minik8s.apiserver.options import boolean
from minik8s.apiserver.providers import unreachable
from minik8s.apiserver.verbs import common
from minik8s.objects import Object
from minik8s.objects.meta import parse_time
from minik8s.objects.validation import field
from minik8s.objects.validation.field import Errors
from minik8s.store import Key
from minik8s.wire import Response, StatusError, bad_request, internal_error, not_found

_INTEGERS = ("tailLines", "limitBytes", "sinceSeconds")
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
_BOOLEANS = ("follow", "previous", "timestamps")


def log(call: Call) -> Response:
    """A container's log; nothing (204) while the pod has no node."""
    pod = common.stored(call)
    options = _log_options(call)
    container = chosen_container(pod, options.get("container", ""))
    node = pod["spec"].get("nodeName")
    if not node:
        return Response(204, None, {})
    _check_node(call, node)
    provider = call.server.providers.logs
    if provider is None:
        raise internal_error(unreachable(node, f"containerLogs/{_place(pod)}/{container}"))
    return provider.logs(pod, container, options)


def _log_options(call: Call) -> Object:
    """PodLogOptions from the query. StatusError 400, 422."""
    query = call.request.query
    out: Object = {}
    if container := call.request.param("container"):
        out["container"] = container
    for name in _BOOLEANS:
        if name in query:
            out[name] = boolean(query[name])
    for name in _INTEGERS:
        if name in query:
            text = call.request.param(name)
            if not re.fullmatch(r"[+-]?[0-9]+", text):
                raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
            out[name] = int(text)
    if "sinceTime" in query:
        out["sinceTime"] = _time(call.request.param("sinceTime"))
    if stream := call.request.param("stream"):
        out["stream"] = stream
    if faults := _log_faults(out):
        raise invalid_fields("PodLogOptions", call.info.name, faults)
    return out


def _time(text: str) -> str:
    try:
        parse_time(text)
    except ValueError:
        why = f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse "{text}" as "2006"'
        raise bad_request(why) from None
    return text


def _log_faults(options: Object) -> Errors:
    """ValidatePodLogOptions."""
    faults: Errors = []
    if options.get("tailLines", 0) < 0:
        faults.append(field.invalid("tailLines", options["tailLines"], "must be greater than or equal to 0"))
    if options.get("limitBytes", 1) < 1:
        faults.append(field.invalid("limitBytes", options["limitBytes"], "must be greater than 0"))
    if "sinceSeconds" in options and "sinceTime" in options:
        faults.append(field.forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified"))
    elif options.get("sinceSeconds", 1) < 1:
        faults.append(field.invalid("sinceSeconds", options["sinceSeconds"], "must be greater than 0"))
    return faults


def chosen_container(pod: Object, wanted: str) -> str:
    """The container that is meant: the one named, or the only one. StatusError 400."""
    spec, name = pod["spec"], pod["metadata"]["name"]
    names = [c["name"] for part in _CONTAINERS for c in spec.get(part) or ()]
    if wanted:
        if wanted not in names:
            raise bad_request(f"container {wanted} is not valid for pod {name}")
        return wanted
    containers = spec.get("containers") or []
    if len(containers) == 1:
        return str(containers[0]["name"])
    if not containers:
        raise bad_request(f"a container name must be specified for pod {name}")
    raise bad_request(f"a container name must be specified for pod {name}, choose one of: [{' '.join(names)}]")


def _check_node(call: Call, node: str) -> None:
    if call.server.store.get(Key("nodes", "", node)) is None:
        raise not_found("nodes", node)


def _place(pod: Object) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def stream(call: Call) -> Response:
    """exec, attach, portforward: checked here, carried by the edge and the kubelet."""
    pod, what = common.stored(call), call.info.subresource
    options: dict[str, Any] = {}
    for name in ("stdin", "stdout", "stderr", "tty"):
        if name in call.request.query:
            options[name] = boolean(call.request.query[name])
    if what == "portforward":
        options["ports"] = _ports(call)
    else:
        options["container"] = chosen_container(pod, call.request.param("container"))
        options["command"] = list(call.request.query.get("command") or [])
    node = pod["spec"].get("nodeName")
    if not node:
        raise bad_request(f"pod {call.info.name} does not have a host assigned")
    _check_node(call, node)
    provider = call.server.providers.streams
    if provider is None:
        raise internal_error(unreachable(node, f"{what}/{_place(pod)}"))
    return provider.connect(pod, what, options, call.request)


def _ports(call: Call) -> list[int]:
    out = []
    for text in call.request.query.get("ports") or []:
        for part in text.split(","):
            if not part.isdigit() or not 1 <= int(part) <= 65535:
                raise bad_request(f'unable to parse "{part}" as a port')
            out.append(int(part))
    return out


def proxy(call: Call) -> Response:
    """proxy of pods, services and nodes: `[scheme:]name[:port]` in the place of the name."""
    parts = call.info.name.split(":")
    if len(parts) > 3 or (len(parts) == 3 and parts[0] not in ("http", "https", "")):
        raise bad_request(f'invalid {call.kind.singular} request "{call.info.name}"')
    name, port = (parts[0], "") if len(parts) == 1 else (parts[-2], parts[-1])
    obj = common.stored(call, name)
    provider = call.server.providers.proxy
    if provider is None:
        raise StatusError(503, "ServiceUnavailable", f'no endpoints available for service "{name}"')
    return provider.proxy(obj, port, "/" + call.info.rest, call.request)
