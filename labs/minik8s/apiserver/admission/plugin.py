"""The shape of an admission plugin: one file each, listed in chain.py in upstream's order."""

from __future__ import annotations

from minik8s.apiserver.admission.attributes import Attributes, Server


class Plugin:
    """Subclass, say what you look at, and override `mutate` or `validate`.

    operations  the operations that concern the plugin
    resources   the resources that concern it; empty: all of them
    """

    name = ""
    operations: frozenset[str] = frozenset({"CREATE"})
    resources: frozenset[str] = frozenset()

    def mutate(self, a: Attributes, server: Server) -> None:
        """Change `a.object`, or raise StatusError. Runs after defaulting, before validation."""

    def validate(self, a: Attributes, server: Server) -> None:
        """Raise StatusError to refuse the write. Runs after validation, last thing before storage."""

    def concerns(self, operation: str, resource: str) -> bool:
        return operation in self.operations and (not self.resources or resource in self.resources)

    @property
    def mutates(self) -> bool:
        return type(self).mutate is not Plugin.mutate

    @property
    def validates(self) -> bool:
        return type(self).validate is not Plugin.validate
