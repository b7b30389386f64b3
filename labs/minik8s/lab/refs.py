"""`deployment/web`처럼 쓴 이름을 리소스와 이름으로 푼다."""

from __future__ import annotations

from typing import NamedTuple

from minik8s.client import Client
from minik8s.objects import Object
from minik8s.objects.kinds import KINDS
from minik8s.wire import StatusError


class Ref(NamedTuple):
    """resource as in `deployments.apps`, and the object's name ("" for all of them)."""

    resource: str
    name: str


_WORDS: dict[str, str] = {}
for _kind in KINDS:
    for _word in (_kind.plural, _kind.singular, _kind.kind.lower(), *_kind.short_names, _kind.resource_name):
        _WORDS.setdefault(_word, _kind.resource_name)


def resource(word: str, client: Client | None = None) -> str:
    """`deploy`, `Deployment`, `deployments` -> `deployments.apps`; custom resources by asking the server."""
    found = _WORDS.get(word.lower())
    if found is None and client is not None:
        found = _custom(word.lower(), client)
    if found is None:
        raise ValueError(f"{word!r}라는 리소스는 없다. `%kubectl api-resources`가 이름의 목록을 보여 준다.")
    return found


def parse(text: str, client: Client | None = None) -> Ref:
    """`deployment/web` -> Ref("deployments.apps", "web"). ValueError in Korean when the word is unknown."""
    word, slash, name = text.partition("/")
    if not slash:
        word, _, name = text.partition(" ")
    return Ref(resource(word, client), name.strip())


def of(obj: Object, client: Client | None = None) -> Ref:
    """The reference of an object, by its apiVersion and kind."""
    group = obj["apiVersion"].rpartition("/")[0]
    for kind in KINDS:
        if kind.kind == obj["kind"] and kind.group == group:
            return Ref(kind.resource_name, obj["metadata"].get("name", ""))
    return Ref(resource(obj["kind"], client), obj["metadata"].get("name", ""))


def _custom(word: str, client: Client) -> str | None:
    try:
        definitions = client.list("customresourcedefinitions.apiextensions.k8s.io")
    except StatusError:
        return None
    for definition in definitions:
        names, group = definition["spec"]["names"], definition["spec"]["group"]
        words = {names["plural"], names.get("singular", ""), names["kind"].lower(), *names.get("shortNames", [])}
        if word in words | {f"{names['plural']}.{group}"}:
            return f"{names['plural']}.{group}"
    return None
