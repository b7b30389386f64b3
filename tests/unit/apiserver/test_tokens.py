"""Service account tokens: made for an audience, a time and an object, and good only as long as these are."""

from __future__ import annotations

from typing import Any

import pytest

from minik8s.apiserver import tokens
from minik8s.apiserver.config import Config
from minik8s.clock import Clock
from minik8s.objects import Object
from minik8s.store import Key, Store
from minik8s.wire import StatusError


class Server:
    def __init__(self, seed: int = 0, key: bytes = b"") -> None:
        self.store, self.clock, self.config = Store(), Clock(seed=seed), Config(token_key=key)
        self.put("serviceaccounts", "builder")

    def put(self, resource: str, name: str, **fields: Any) -> Object:
        meta = {"name": name, "namespace": "ns", "uid": f"uid-{name}"}
        return self.store.create(Key(resource, "ns", name), {"metadata": meta, **fields})

    def token(self, **spec: Any) -> str:
        return str(tokens.create_token(self, "ns", "builder", {"spec": spec})["status"]["token"])


def test_a_token_speaks_for_its_account() -> None:
    server = Server()
    user, audiences = tokens.user_of(server, server.token())
    assert user.name == "system:serviceaccount:ns:builder" and user.uid == "uid-builder"
    assert user.groups == ("system:serviceaccounts", "system:serviceaccounts:ns")
    assert audiences == [tokens.AUDIENCE]


def test_a_token_request_is_answered_with_what_was_given() -> None:
    server = Server()
    answer = tokens.create_token(server, "ns", "builder", {"spec": {"expirationSeconds": 600}})
    assert answer["spec"] == {"audiences": [tokens.AUDIENCE], "expirationSeconds": 600, "boundObjectRef": None}
    assert answer["status"]["expirationTimestamp"] == "2026-01-01T00:10:00Z"


def test_a_token_ends_with_its_time() -> None:
    server = Server()
    token = server.token(expirationSeconds=600)
    server.clock.run_until(server.clock.now() + 601 + tokens.LEEWAY)
    with pytest.raises(tokens.TokenError, match="expired"):
        tokens.user_of(server, token)


def test_a_token_is_good_for_its_audience_only() -> None:
    server = Server()
    token = server.token(audiences=["vault"])
    assert tokens.user_of(server, token, ["vault"])[1] == ["vault"]
    with pytest.raises(tokens.TokenError, match="audiences"):
        tokens.user_of(server, token)


@pytest.mark.parametrize("resource", ["pods", "secrets"])
def test_a_bound_token_ends_with_its_object(resource: str) -> None:
    server = Server()
    kind = "Pod" if resource == "pods" else "Secret"
    server.put(resource, "b", spec={"serviceAccountName": "builder"})
    token = server.token(boundObjectRef={"apiVersion": "v1", "kind": kind, "name": "b"})
    tokens.user_of(server, token)
    server.store.delete(Key(resource, "ns", "b"))
    with pytest.raises(tokens.TokenError, match="invalidated"):
        tokens.user_of(server, token)


def test_a_token_ends_with_its_account_even_if_another_of_the_name_comes() -> None:
    server = Server()
    token = server.token()
    server.store.delete(Key("serviceaccounts", "ns", "builder"))
    with pytest.raises(tokens.TokenError):
        tokens.user_of(server, token)
    again = {"metadata": {"name": "builder", "namespace": "ns", "uid": "another"}}
    server.store.create(Key("serviceaccounts", "ns", "builder"), again)
    with pytest.raises(tokens.TokenError, match="does not match"):
        tokens.user_of(server, token)


def test_a_token_cannot_be_changed_or_made_with_another_key() -> None:
    server = Server(key=b"secret")
    token = server.token()
    head, body, signature = token.split(".")
    for bad in (f"{head}.{body}.", f"{head}.{body[:-2]}AA.{signature}", "", "a.b.c", "a.b", Server(key=b"x").token()):
        with pytest.raises(tokens.TokenError, match="invalid bearer token"):
            tokens.user_of(server, bad)


@pytest.mark.parametrize(
    ("spec", "code", "text"),
    [
        ({"expirationSeconds": 10}, 422, "may not specify a duration less than 10 minutes"),
        ({"expirationSeconds": 1 << 33}, 422, "may not specify a duration larger than 2^32 seconds"),
        ({"boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": "ghost"}}, 404, 'pods "ghost" not found'),
        ({"boundObjectRef": {"apiVersion": "v1", "kind": "Service", "name": "x"}}, 400, "cannot bind token to object"),
    ],
)
def test_token_requests_are_checked(spec: Object, code: int, text: str) -> None:
    with pytest.raises(StatusError) as caught:
        Server().token(**spec)
    assert caught.value.code == code and text in caught.value.message


def test_a_pods_token_must_be_of_the_pods_account() -> None:
    server = Server()
    server.put("pods", "p", spec={"serviceAccountName": "other"})
    with pytest.raises(StatusError, match="different serviceaccount name"):
        server.token(boundObjectRef={"apiVersion": "v1", "kind": "Pod", "name": "p"})
