"""The shape of a kind's rules, and the usual ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from minik8s.objects.frozen import Object
from minik8s.objects.validation import meta
from minik8s.objects.validation.field import Errors
from minik8s.objects.validation.names import NameCheck

Create = Callable[[Errors, Object], None]
Update = Callable[[Errors, Object, Object], None]


def metadata_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])


@dataclass(frozen=True)
class Rules:
    """Checks of one kind: on create, on update (new, old), on updates through subresources."""

    create: Create
    update: Update = metadata_update
    status: Update = metadata_update
    subresources: dict[str, Update] = field(default_factory=dict)


def both(check: Create) -> Update:
    """An update is checked as metadata of an update, then as a whole new object."""
    def update(errors: Errors, new: Object, old: Object) -> None:
        meta.object_meta_update(errors, new["metadata"], old["metadata"])
        check(errors, new)
    return update


def twice(check: Create, update: Update) -> Update:
    """Strategies that check the new object as if it were created, then as an update: causes appear twice."""
    def run(errors: Errors, new: Object, old: Object) -> None:
        if any(new.get(key) is not old.get(key) for key in new if key != "status"):
            check(errors, new)
        update(errors, new, old)
    return run


def plain(name_check: NameCheck, *, namespaced: bool = True) -> Rules:
    """A kind of which only the metadata is checked."""
    def create(errors: Errors, obj: Object) -> None:
        meta.object_meta(errors, obj["metadata"], namespaced, name_check)
    return Rules(create, metadata_update)
