"""The API server's proxy to pods, Services and nodes: `/api/v1/namespaces/NS/services/NAME/proxy/PATH`.

Implements `apiserver.providers.ProxyProvider` by structure. Error texts are those of
apimachinery's proxy (util/proxy, `error trying to reach service`) and of the Service's REST storage.
"""

from __future__ import annotations

from minik8s.dataplane import TIMEOUT, Call, DialError
from minik8s.network.fabric import ClusterFabric
from minik8s.network.proxy import eligible
from minik8s.objects.frozen import Object
from minik8s.wire import Request, Response, StatusError, bad_request


class ApiProxy:
    """Requests reach pods straight from the control plane's node."""

    def __init__(self, fabric: ClusterFabric):
        self._fabric = fabric

    def proxy(self, obj: Object, port: str, path: str, request: Request) -> Response:
        """The pod's answer, whatever its status. StatusError 400, 503 when nobody can answer."""
        address, number = self._target(obj, port)
        body = request.body if isinstance(request.body, bytes) else b""
        query = "&".join(f"{k}={v}" for k, values in request.query.items() for v in values)
        call = Call(f"{path}?{query}" if query else path, request.method, address, dict(request.headers), body)
        try:
            answer = self._fabric.to_pod("", "", address, number).connection.send(call)
        except DialError as error:
            kind = error.kind if error.kind == TIMEOUT else f"connect: {error.kind}"
            message = f"error trying to reach service: dial tcp {address}:{number}: {kind}"
            raise StatusError(503, "ServiceUnavailable", message) from None
        kind = "text/html; charset=utf-8" if answer.body.lstrip().startswith(b"<") else "text/plain; charset=utf-8"
        return Response(answer.status, answer.body, {"content-type": kind, **answer.headers})

    def _target(self, obj: Object, port: str) -> tuple[str, int]:
        if obj["kind"] == "Service":
            return self._endpoint(obj, port)
        if obj["kind"] == "Pod":
            address = (obj.get("status") or {}).get("podIP")
            if not address:
                raise bad_request(f"address not allowed: pod {obj['metadata']['name']} has no IP")
            ports = [p for c in obj["spec"]["containers"] for p in c.get("ports") or ()]
            if port and not port.isdigit():
                named = next((p["containerPort"] for p in ports if p.get("name") == port), None)
                if named is None:
                    raise bad_request(f'invalid pod request "{obj["metadata"]["name"]}:{port}"')
                return address, int(named)
            return address, int(port or (ports[0]["containerPort"] if ports else 80))
        raise StatusError(501, "NotImplemented", "the kubelet's own endpoints are not served here")

    def _endpoint(self, service: Object, port: str) -> tuple[str, int]:
        name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
        ports = service["spec"].get("ports") or []
        entry = next((p for p in ports if not port or port in (p.get("name"), str(p["port"]))), None)
        if entry is None:
            raise StatusError(503, "ServiceUnavailable", f'no service port "{port}" found for service "{name}"')
        known = eligible(self._fabric.proxies.endpoints("", namespace, name), "", "", local=False)
        for endpoint in known:
            number = endpoint.port(entry.get("name") or "")
            if number is not None:
                return endpoint.address, number
        raise StatusError(503, "ServiceUnavailable", f'no endpoints available for service "{name}"')
