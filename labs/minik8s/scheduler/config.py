"""KubeSchedulerConfiguration: which profiles there are, and which plugins with which weights and arguments each runs.

Source: kube-scheduler `apis/config/v1` and `framework/runtime` (expandMultiPointPlugins). The configuration comes as
the parsed YAML; mistakes raise ConfigError naming the profile and the plugin.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minik8s.scheduler.framework import POINTS, Handle, Plugin, Profile
from minik8s.scheduler.plugins import DEFAULTS, REGISTRY

DEFAULT_NAME = "default-scheduler"

_POINT_OF = {
    "preEnqueue": "pre_enqueue",
    "queueSort": "sort_key",
    "preFilter": "pre_filter",
    "filter": "filter",
    "postFilter": "post_filter",
    "preScore": "pre_score",
    "score": "score",
    "reserve": "reserve",
    "permit": "permit",
    "preBind": "pre_bind",
    "bind": "bind",
    "postBind": "post_bind",
}

Registry = Mapping[str, type[Plugin]]
Config = Mapping[str, Any]


class ConfigError(ValueError):
    """A configuration that makes no sense."""


def profiles(handle: Handle, config: Config | None = None, registry: Registry | None = None) -> dict[str, Profile]:
    """The profiles of a configuration by scheduler name; without one, the default profile. Raises ConfigError."""
    config = config or {}
    known = {**REGISTRY, **(registry or {})}
    percentage = config.get("percentageOfNodesToScore") or 0
    found: dict[str, Profile] = {}
    for entry in config.get("profiles") or [{}]:
        name = entry.get("schedulerName") or DEFAULT_NAME
        if name in found:
            raise ConfigError(f'duplicated profile with scheduler name "{name}"')
        own = entry.get("percentageOfNodesToScore")
        found[name] = _profile(handle, name, entry, known, percentage if own is None else own)
    return found


def _profile(handle: Handle, name: str, entry: Config, known: Registry, percentage: int) -> Profile:
    stated: Mapping[str, Any] = entry.get("plugins") or {}
    for point in stated:
        if point != "multiPoint" and point not in _POINT_OF:
            raise ConfigError(f'profile "{name}": unknown extension point "{point}"')
    args = {config["name"]: config.get("args") or {} for config in entry.get("pluginConfig") or ()}
    everywhere = _merged([(plugin.name, weight) for plugin, weight in DEFAULTS], stated.get("multiPoint") or {})
    made: dict[str, Plugin] = {}

    def make(plugin: str) -> Plugin:
        if plugin not in known:
            raise ConfigError(f'profile "{name}": {plugin} is not a registered plugin')
        if plugin not in made:
            try:
                made[plugin] = known[plugin](handle, args.get(plugin))
            except (ValueError, KeyError, TypeError) as problem:
                raise ConfigError(f'profile "{name}": initializing plugin "{plugin}": {problem}') from problem
        return made[plugin]

    plugins = {}
    for point, method in _POINT_OF.items():
        names = _at_point(everywhere, stated.get(point) or {}, known, method)
        plugins[method] = [(make(plugin), weight or 1) for plugin, weight in names]
        for plugin, _ in plugins[method]:
            if not hasattr(plugin, method):
                raise ConfigError(f'profile "{name}": plugin "{plugin.name}" does not extend {point} plugin')
    for required, many in (("sort_key", False), ("bind", True)):
        if not plugins[required] or (not many and len(plugins[required]) > 1):
            raise ConfigError(f'profile "{name}": needs {"at least" if many else "exactly"} one {required} plugin')
    unknown = sorted(set(args) - set(made))
    if unknown and unknown[0] not in known:
        raise ConfigError(f'profile "{name}": pluginConfig names "{unknown[0]}", which is not a registered plugin')
    assert set(plugins) == set(POINTS)
    return Profile(name, plugins, percentage)


Names = list[tuple[str, int]]


def _merged(defaults: Names, custom: Config) -> Names:
    """The defaults without what is disabled; what is enabled again gets its weight in place, the rest is appended."""
    off = {entry["name"] for entry in custom.get("disabled") or ()}
    on = {entry["name"]: entry.get("weight") or 0 for entry in custom.get("enabled") or ()}
    kept = [(name, weight) for name, weight in defaults if name not in off and "*" not in off]
    merged = [(name, (on[name] or weight) if name in on else weight) for name, weight in kept]
    seen = {name for name, _ in merged}
    return merged + [(name, weight) for name, weight in on.items() if name not in seen]


def _at_point(everywhere: Names, custom: Config, known: Registry, method: str) -> Names:
    """What runs at one point: plugins enabled both there and everywhere, then the others, then new ones."""
    off = {entry["name"] for entry in custom.get("disabled") or ()}
    on = {entry["name"]: entry.get("weight") or 0 for entry in custom.get("enabled") or ()}
    inherited = [
        (name, weight)
        for name, weight in everywhere
        if "*" not in off and name not in off and (name not in known or hasattr(known[name], method))
    ]
    weights = dict(inherited)
    first = [(name, weight or weights[name]) for name, weight in on.items() if name in weights]
    rest = [(name, weight) for name, weight in inherited if name not in on]
    return first + rest + [(name, weight) for name, weight in on.items() if name not in weights]
