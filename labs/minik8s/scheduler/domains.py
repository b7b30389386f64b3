"""Counters over topology domains for the fast path: how many matches each zone, node, ... has, and which nodes share
a count.

Instead of asking every node for the count of its domain, nodes of equal count are kept as one set (bits.py). A pod that
comes or goes moves one domain from one set to the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from minik8s.scheduler.snapshot import NodeInfo


class Domains:
    """The values of one topology key, and the set of nodes that have each."""

    def __init__(self, nodes: Sequence[NodeInfo], key: str | None) -> None:
        """`key` None: every node is a domain of its own."""
        self.of_node: list[str | None]
        if key is None:
            self.of_node = [node.name for node in nodes]
        else:
            self.of_node = [node.labels.get(key) for node in nodes]
        found: dict[str, int] = {}
        for place, value in enumerate(self.of_node):
            if value is not None:
                found[value] = found.get(value, 0) | 1 << place
        self.bits = found
        self.single = len(found) == sum(value is not None for value in self.of_node)
        self.having = 0
        for nodes_of in found.values():
            self.having |= nodes_of

    def values_in(self, window: int) -> int:
        """How many values occur in a set of nodes."""
        if self.single:
            return (self.having & window).bit_count()
        return sum(1 for nodes in self.bits.values() if nodes & window)


class Levels:
    """Counts per domain, and per count the nodes of the domains that have it."""

    __slots__ = ("at", "counts", "domains")

    def __init__(self, domains: Domains) -> None:
        self.domains = domains
        self.counts: dict[str, int] = {}
        self.at: dict[int, int] = {0: domains.having} if domains.having else {}

    def change(self, place: int, by: int) -> None:
        """Count `by` more matches in the domain of the node at `place`; nodes without the key count nowhere."""
        value = self.domains.of_node[place]
        if value is None or not by:
            return
        nodes = self.domains.bits[value]
        before = self.counts.get(value, 0)
        self.counts[value] = after = before + by
        left = self.at[before] & ~nodes
        if left:
            self.at[before] = left
        else:
            del self.at[before]
        self.at[after] = self.at.get(after, 0) | nodes

    def lowest(self, among: int) -> int | None:
        """The smallest count of any domain with a node in `among`."""
        return min((count for count, nodes in self.at.items() if nodes & among), default=None)

    def up_to(self, count: int) -> int:
        """The nodes whose domain has at most `count`."""
        found = 0
        for level, nodes in self.at.items():
            if level <= count:
                found |= nodes
        return found

    def above_zero(self) -> int:
        found = 0
        for level, nodes in self.at.items():
            if level > 0:
                found |= nodes
        return found

    def split(self, window: int) -> Iterator[tuple[int | None, int]]:
        """(count, nodes of the window with that count); None for nodes without the key."""
        for level, nodes in self.at.items():
            both = nodes & window
            if both:
                yield level, both
        rest = window & ~self.domains.having
        if rest:
            yield None, rest
