"""How far and how fast an autoscaler may go: stabilization windows and scaling policies (KEP-853)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil

from minik8s.objects import Object

DOWNSCALE_WINDOW = 300.0
FACTOR, MINIMUM = 2, 4
"""Without `behavior`, one step up is at most a doubling, or to four."""


@dataclass
class Memory:
    """What an autoscaler remembers: (time, recommendation), (time, pods added or removed), and whom it sizes."""

    recommendations: list[tuple[float, int]] = field(default_factory=list)
    ups: list[tuple[float, int]] = field(default_factory=list)
    downs: list[tuple[float, int]] = field(default_factory=list)
    selector: str = ""

    def forget_before(self, time: float) -> None:
        for entries in (self.recommendations, self.ups, self.downs):
            entries[:] = [entry for entry in entries if entry[0] >= time]


Outcome = tuple[int, str, str]
"""(replicas, reason, message)."""


def stabilize(memory: Memory, wanted: int, now: float) -> Outcome:
    """Without behavior: the highest recommendation of the last five minutes."""
    memory.forget_before(now - 3600)
    highest = max([wanted, *(r for t, r in memory.recommendations if t >= now - DOWNSCALE_WINDOW)])
    memory.recommendations.append((now, wanted))
    return _stabilized(wanted, highest)


def _stabilized(wanted: int, found: int) -> Outcome:
    if found > wanted:
        return (
            found,
            "ScaleDownStabilized",
            ("recent recommendations were higher than current one, applying the highest recent recommendation"),
        )
    if found < wanted:
        return (
            found,
            "ScaleUpStabilized",
            ("recent recommendations were lower than current one, applying the lowest recent recommendation"),
        )
    return found, "ReadyForNewScale", "recommended size matches current size"


def stabilize_with(memory: Memory, behavior: Object, current: int, wanted: int, now: float) -> Outcome:
    """With behavior: not above the lowest of the scale-up window, not below the highest of the scale-down window."""
    memory.forget_before(now - 3600)
    up_window = (behavior.get("scaleUp") or {}).get("stabilizationWindowSeconds") or 0
    down_window = (behavior.get("scaleDown") or {}).get("stabilizationWindowSeconds")
    down_window = DOWNSCALE_WINDOW if down_window is None else down_window
    lowest = min([wanted, *(r for t, r in memory.recommendations if t > now - up_window)])
    highest = max([wanted, *(r for t, r in memory.recommendations if t > now - down_window)])
    memory.recommendations.append((now, wanted))
    return _stabilized(wanted, min(max(current, lowest), highest))


def limit(current: int, wanted: int, least: int, most: int) -> Outcome:
    """Within minReplicas and maxReplicas, and at most a doubling in one step."""
    step = max(FACTOR * current, MINIMUM)
    if wanted < least:
        return least, "TooFewReplicas", "the desired replica count is less than the minimum replica count"
    if wanted > min(most, step):
        return _too_many(min(most, step), step < most)
    return wanted, "DesiredWithinRange", "the desired count is within the acceptable range"


def _too_many(found: int, rate: bool) -> Outcome:
    if rate:
        return found, "ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate"
    return found, "TooManyReplicas", "the desired replica count is more than the maximum replica count"


def limit_with(
    memory: Memory, behavior: Object, current: int, wanted: int, least: int, most: int, now: float
) -> Outcome:
    """Within minReplicas, maxReplicas and the policies of `behavior`."""
    if wanted > current:
        ceiling = max(current, _ceiling(memory, behavior.get("scaleUp") or {}, current, now))
        if wanted > min(most, ceiling):
            return _too_many(min(most, ceiling), ceiling < most)
    elif wanted < current:
        floor = min(current, _floor(memory, behavior.get("scaleDown") or {}, current, now))
        if wanted < max(least, floor):
            if floor > least:
                return (
                    floor,
                    "ScaleDownLimit",
                    "the desired replica count is decreasing faster than the maximum scale rate",
                )
            return least, "TooFewReplicas", "the desired replica count is less than the minimum replica count"
    return wanted, "DesiredWithinRange", "the desired count is within the acceptable range"


def _changed(events: Iterable[tuple[float, int]], period: float, now: float) -> int:
    return sum(count for time, count in events if time > now - period)


def _ceiling(memory: Memory, rules: Object, current: int, now: float) -> int:
    default: list[Object] = [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ]
    choice = rules.get("selectPolicy") or "Max"
    if choice == "Disabled":
        return current
    found = []
    for policy in rules.get("policies") or default:
        period = policy["periodSeconds"]
        start = current - _changed(memory.ups, period, now) + _changed(memory.downs, period, now)
        if policy["type"] == "Pods":
            found.append(start + policy["value"])
        else:
            found.append(ceil(start * (100 + policy["value"]) / 100))
    return int(min(found) if choice == "Min" else max(found))


def _floor(memory: Memory, rules: Object, current: int, now: float) -> int:
    default: list[Object] = [{"type": "Percent", "value": 100, "periodSeconds": 15}]
    choice = rules.get("selectPolicy") or "Max"
    if choice == "Disabled":
        return current
    found = []
    for policy in rules.get("policies") or default:
        period = policy["periodSeconds"]
        start = current - _changed(memory.ups, period, now) + _changed(memory.downs, period, now)
        if policy["type"] == "Pods":
            found.append(start - policy["value"])
        else:
            found.append(int(start * (100 - policy["value"]) / 100))
    return int(max(found) if choice == "Min" else min(found))
