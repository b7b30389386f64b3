"""Plain Kubernetes objects: JSON values, their metadata, quantities, selectors, kinds, defaults and validation."""

from minik8s.objects.frozen import FrozenDict, FrozenList, Object, freeze, thaw

__all__ = ["FrozenDict", "FrozenList", "Object", "freeze", "thaw"]
