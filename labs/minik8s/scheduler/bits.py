"""Sets of nodes as whole numbers: bit i stands for the i-th node of the scan. Python's integers do the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def of(places: Iterable[int]) -> int:
    """The set of these places."""
    flags = bytearray()
    for place in places:
        byte = place >> 3
        if byte >= len(flags):
            flags.extend(bytes(byte + 1 - len(flags)))
        flags[byte] |= 1 << (place & 7)
    return int.from_bytes(flags, "little")


def first(bits: int) -> int:
    """The lowest place of a set that is not empty."""
    return (bits & -bits).bit_length() - 1


def places(bits: int) -> list[int]:
    """All places, ascending."""
    found = []
    while bits:
        low = bits & -bits
        found.append(low.bit_length() - 1)
        bits ^= low
    return found


def rotated(bits: int, start: int, size: int) -> int:
    """The set as seen from `start`: place `start` becomes 0."""
    return bits >> start | (bits & ((1 << start) - 1)) << (size - start) if start else bits


def reach(bits: int, count: int) -> int:
    """How far one must go to pass `count` members (there are at least that many)."""
    end = count
    for _ in range(8):
        missing = count - (bits & ((1 << end) - 1)).bit_count()
        if not missing:
            return end
        end += missing
    low, high = end, bits.bit_length()
    while low < high:
        middle = (low + high) // 2
        if (bits & ((1 << middle) - 1)).bit_count() < count:
            low = middle + 1
        else:
            high = middle
    return low


class HeapOrder:
    """Finds which of equals stands at the top of a binary heap: the first of its tree in pre-order."""

    def __init__(self) -> None:
        self._subtrees: list[int] = []

    def _grow(self, size: int) -> None:
        """subtree[r] = all places below r (r included) in the implicit tree over 0..size-1."""
        size = 1 << size.bit_length()
        trees = [1 << place for place in range(size)]
        for place in range(size - 1, 0, -1):
            trees[(place - 1) // 2] |= trees[place]
        self._subtrees = trees

    def top(self, ranks: int) -> int:
        """The first of `ranks` (a set that is not empty) in pre-order."""
        if ranks & 1:
            return 0
        if ranks.bit_length() > len(self._subtrees):
            self._grow(ranks.bit_length())
        trees, place = self._subtrees, 0
        while not ranks >> place & 1:
            left = 2 * place + 1
            place = left if ranks & trees[left] else left + 1
        return place


_ORDER = HeapOrder()
FEW = 24


def heap_top(members: int, everyone: int) -> int:
    """The place of the member whose rank among `everyone` is first in pre-order (`members` is part of `everyone`)."""
    if everyone & (everyone + 1) == 0:  # nobody is missing: rank is place
        return _ORDER.top(members)
    if members.bit_count() <= FEW:
        ranks = {(everyone & ((1 << place) - 1)).bit_count(): place for place in places(members)}
        return ranks[_ORDER.top(of(ranks))]
    for rank in preorder(everyone.bit_count()):
        place = reach(everyone, rank + 1) - 1
        if members >> place & 1:
            return place
    raise ValueError("no members")


def preorder(size: int) -> Iterator[int]:
    """The places of an implicit heap: a node, all to its left, all to its right."""
    stack = [0]
    while stack:
        place = stack.pop()
        if place < size:
            yield place
            stack += [2 * place + 2, 2 * place + 1]
