"""What goes over the wire: answers, watches, limits, and the right refusal for every bad request."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import ssl
import struct
from typing import Any

import pytest

PODS = "/api/v1/namespaces/default/pods"
MAPS = "/api/v1/namespaces/default/configmaps"


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def refused(answer: Any, code: int) -> str:
    """The message of a Status with this code."""
    assert answer.status == code, answer.data
    assert answer.json["kind"] == "Status" and answer.json["code"] == code and answer.json["status"] == "Failure"
    return str(answer.json["message"])


# ---- the ordinary -----------------------------------------------------------------------


def test_objects_are_created_read_and_listed(server: Any) -> None:
    made = server.call("POST", MAPS, config_map("plain", a="1"))
    assert made.status == 201 and made.headers["content-type"] == "application/json"
    assert made.data.startswith(b'{"kind":"ConfigMap","apiVersion":"v1",')
    assert server.call("GET", f"{MAPS}/plain").json == made.json
    listed = server.call("GET", MAPS)
    assert listed.data.startswith(b'{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":')
    (item,) = [item for item in listed.json["items"] if item["metadata"]["name"] == "plain"]
    assert item == {k: v for k, v in made.json.items() if k not in ("kind", "apiVersion")}


def test_yaml_goes_in_and_out(server: Any) -> None:
    body = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yaml}\ndata: {a: '1'}\n"
    assert server.call("POST", MAPS, body, content_type="application/yaml").status == 201
    shown = server.call("GET", f"{MAPS}/yaml", accept="application/yaml")
    assert shown.headers["content-type"] == "application/yaml" and b'a: "1"' in shown.data


def test_large_answers_are_compressed_for_those_who_accept_it(server: Any) -> None:
    server.call("POST", MAPS, config_map("large", text="x" * 200_000))
    packed = server.call("GET", f"{MAPS}/large", accept_encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip" and len(packed.data) < 20_000
    assert json.loads(gzip.decompress(packed.data)) == server.call("GET", f"{MAPS}/large").json


def test_one_connection_serves_many_requests(server: Any) -> None:
    connection = server.connect()
    headers = {"Authorization": f"Bearer {server.service.token}"}
    for _ in range(3):
        connection.request("GET", "/version", headers=headers)
        assert json.loads(connection.getresponse().read())["minor"] == "36"
    connection.close()


# ---- watches ------------------------------------------------------------------------------


class Watch:
    """A watch that is read line by line."""

    def __init__(self, server: Any, path: str):
        self.connection = server.connect()
        headers = {"Authorization": f"Bearer {server.service.token}"}
        self.connection.request("GET", path, headers=headers)
        self.response = self.connection.getresponse()

    def next(self) -> dict[str, Any] | None:
        line = self.response.readline()
        return json.loads(line) if line else None

    def close(self) -> None:
        self.connection.close()


def test_a_watch_streams_changes_as_they_come(server: Any) -> None:
    version = server.call("GET", MAPS).json["metadata"]["resourceVersion"]
    watches = [Watch(server, f"{MAPS}?watch=true&resourceVersion={version}") for _ in range(3)]
    server.call("POST", MAPS, config_map("seen"))
    server.call("DELETE", f"{MAPS}/seen")
    for watch in watches:
        events = [watch.next(), watch.next()]
        assert [event and event["type"] for event in events] == ["ADDED", "DELETED"]
        assert events[0] and events[0]["object"]["metadata"]["name"] == "seen"
        watch.close()


def test_a_watch_ends_after_its_timeout(server: Any) -> None:
    watch = Watch(server, f"{MAPS}?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Dnobody")
    assert watch.next() is None
    watch.close()


def test_a_watch_can_begin_with_what_there_is(server: Any) -> None:
    server.call("POST", MAPS, config_map("there"))
    query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    watch = Watch(server, f"{MAPS}?{query}&fieldSelector=metadata.name%3Dthere")
    first, mark = watch.next(), watch.next()
    assert first and first["type"] == "ADDED"
    assert mark and mark["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"] == "true"
    watch.close()


def test_a_watch_from_the_past_is_told_that_it_is_gone(server: Any) -> None:
    answer = server.call("GET", f"{MAPS}?watch=true&resourceVersion=99999999&timeoutSeconds=1")
    assert answer.status in (200, 504)


def test_watchers_that_hang_up_are_forgotten(server: Any) -> None:
    cluster = server.service.cluster
    before = len(cluster.store._watchers.get("secrets", ()))
    watch = Watch(server, "/api/v1/secrets?watch=true")
    assert len(cluster.store._watchers["secrets"]) == before + 1
    watch.connection.sock.shutdown(socket.SHUT_RDWR)
    watch.close()
    for _ in range(200):  # the server notices in a later turn of its loop
        if len(cluster.store._watchers["secrets"]) == before:
            break
        server.call("GET", "/version")
    assert len(cluster.store._watchers["secrets"]) == before


# ---- who may ----------------------------------------------------------------------------------


def test_the_admin_token_is_the_admin(server: Any) -> None:
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    answer = server.call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body)
    user = answer.json["status"]["userInfo"]
    assert user == {"username": "admin", "uid": "admin-uid", "groups": ["system:masters", "system:authenticated"]}


def test_nobody_without_a_token_reads_or_writes(server: Any) -> None:
    for method, path, body in (("GET", PODS, None), ("POST", MAPS, config_map("x")), ("GET", "/api", None)):
        message = refused(server.call(method, path, body, authorization=""), 403)
        assert 'User "system:anonymous" cannot' in message
    assert server.call("GET", "/readyz", authorization="").status == 200


def test_a_wrong_token_is_401(server: Any) -> None:
    assert refused(server.call("GET", PODS, authorization="Bearer wrong"), 401) == "Unauthorized"


def test_secrets_do_not_reach_the_trace(server: Any) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"p": "hunter2hunter2"}}
    assert server.call("POST", "/api/v1/namespaces/default/secrets", secret).status == 201
    shown = repr(server.service.cluster.trace.records)
    assert "hunter2" not in shown and "aHVudGVyMmh1bnRlcjI" not in shown and server.service.token not in shown


# ---- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "media", "code"),
    [
        (b"{", "application/json", 400),
        (b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}} trailing', "application/json", 400),
        (b"\xff\xfe\x00", "application/json", 400),
        (b'{"kind":"ConfigMap","metadata":{"name":"\xff"}}', "application/json", 400),
        (b"[]", "application/json", 400),
        (b"", "application/json", 400),
        (b"a: [", "application/yaml", 400),
        (b"a: &a [*a]", "application/yaml", 400),
        (b"{}", "text/plain", 415),
        (b"k8s\x00", "application/vnd.kubernetes.protobuf", 400),
        (b"[" * 20_000, "application/json", 400),
        (b'{"data":' * 20_000, "application/json", 400),
        (b'{"apiVersion":"v1","kind":"Nope"}', "application/json", 400),
        (b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"A_b"}}', "application/json", 422),
        (b'{"apiVersion":"v1","kind":"ConfigMap","metadata":[]}', "application/json", 400),
        (b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":NaN}}', "application/json", 400),
        (b'{"apiVersion":1}', "application/json", 400),
        (b"!!python/object/apply:os.system ['true']", "application/yaml", 400),
    ],
)
def test_bad_bodies_are_refused_and_nothing_is_written(server: Any, body: bytes, media: str, code: int) -> None:
    before = server.service.cluster.store.revision
    refused(server.call("POST", MAPS, body, content_type=media), code)
    assert server.service.cluster.store.revision == before


def test_a_body_above_three_mebibytes_is_refused(server: Any) -> None:
    message = refused(server.call("POST", MAPS, b"x" * (3 * 1024 * 1024 + 1), content_type="application/json"), 413)
    assert "limit is 3145728" in message


def test_a_chunked_body_above_the_limit_is_refused(server: Any) -> None:
    connection = server.connect()
    connection.putrequest("POST", MAPS)
    connection.putheader("Authorization", f"Bearer {server.service.token}")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    try:
        for _ in range(64):
            connection.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")
    except OSError:
        pass  # it need not listen to the end
    response = connection.getresponse()
    assert response.status == 413 and json.loads(response.read())["code"] == 413
    connection.close()


@pytest.mark.parametrize("host", ["evil.example", "evil.example:6443", "127.0.0.1.nip.io", ""])
def test_a_strange_host_header_is_refused(server: Any, host: str) -> None:
    connection = server.connect()
    connection.putrequest("GET", "/version", skip_host=True)
    connection.putheader("Host", host)
    connection.putheader("Authorization", f"Bearer {server.service.token}")
    connection.endheaders()
    response = connection.getresponse()
    body = json.loads(response.read())
    assert 400 <= response.status < 500 and body["kind"] == "Status"
    connection.close()


def raw(server: Any, data: bytes, *, tls: bool = True) -> bytes:
    """Everything that comes back for bytes that are no proper request."""
    sock: Any = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    if tls:
        sock = server.trust.wrap_socket(sock, server_hostname="127.0.0.1")
    sock.sendall(data)
    chunks = []
    try:
        while chunk := sock.recv(65536):
            chunks.append(chunk)
    except ConnectionError:
        pass
    sock.close()
    return b"".join(chunks)


def test_plain_http_is_answered_in_words(server: Any) -> None:
    answer = raw(server, b"GET /api HTTP/1.1\r\nHost: localhost\r\n\r\n", tls=False)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["message"] == "Client sent an HTTP request to an HTTPS server."


@pytest.mark.parametrize(
    "data",
    [
        b"HELLO\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nA\x00b: c\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"POST /api HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /api HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    ],
)
def test_what_is_no_http_is_a_bad_request(server: Any, data: bytes) -> None:
    answer = raw(server, data)
    status = int(answer.split(b" ", 2)[1])
    assert 400 <= status < 500, answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["kind"] == "Status"


def test_a_silent_connection_does_not_hold_the_others(server: Any) -> None:
    silent = socket.create_connection(("127.0.0.1", server.port))
    half = socket.create_connection(("127.0.0.1", server.port))
    half.sendall(struct.pack(">BHH", 22, 0x0301, 500))
    assert server.call("GET", "/version").status == 200
    silent.close()
    half.close()


def test_only_loopback_is_listened_on(server: Any) -> None:
    listener = server.service._http._listener._socket
    assert listener.getsockname()[0] == "127.0.0.1"


def test_an_untrusting_client_sees_another_authority(server: Any) -> None:
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=ssl.create_default_context())
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.request("GET", "/version")


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/api/v1/nopes", 404),
        ("GET", PODS + "/ghost", 404),
        ("PUT", PODS, 405),
        ("BREW", PODS, 400),
        ("GET", PODS + "?limit=x", 400),
        ("GET", PODS + "?labelSelector=%2C%2C", 400),
        ("GET", PODS + "?fieldSelector=spec.nope%3D1", 400),
        ("GET", PODS + "?resourceVersion=x", 400),
        ("GET", PODS + "?continue=garbage", 400),
        ("GET", "/api/v1/namespaces/default/pods/%2e%2e", 404),
        ("GET", PODS + "?labelSelector=%ff", 400),
        ("GET", "/api/v1/namespaces/%ff/pods", 400),
    ],
)
def test_wrong_paths_methods_and_queries(server: Any, method: str, path: str, code: int) -> None:
    refused(server.call(method, path), code)


@pytest.mark.parametrize("path", ["/nope", "/apis/nope.io/v1/x"])
def test_paths_that_nobody_serves(server: Any, path: str) -> None:
    answer = server.call("GET", path)
    assert (answer.status, answer.data) == (404, b"404 page not found\n")
