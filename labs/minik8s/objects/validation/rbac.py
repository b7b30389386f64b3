"""rbac.authorization.k8s.io. Source: ``pkg/apis/rbac/validation/validation.go``."""

from __future__ import annotations

from minik8s.objects.frozen import Object
from minik8s.objects.validation import meta, names
from minik8s.objects.validation.field import Errors, GoValue, invalid, messages_invalid, not_supported, required
from minik8s.objects.validation.rules import Create, Rules, Update

GROUP = "rbac.authorization.k8s.io"


def _rule(errors: Errors, rule: Object, namespaced: bool, path: str) -> None:
    if not rule.get("verbs"):
        errors.append(required(f"{path}.verbs", "verbs must contain at least one value"))
    urls = rule.get("nonResourceURLs")
    if urls:
        if namespaced:
            errors.append(invalid(f"{path}.nonResourceURLs", urls,
                                  "namespaced rules cannot apply to non-resource URLs"))
        if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
            errors.append(invalid(f"{path}.nonResourceURLs", urls,
                                  "rules cannot apply to both regular resources and non-resource URLs"))
        return
    if not rule.get("apiGroups"):
        errors.append(required(f"{path}.apiGroups", "resource rules must supply at least one api group"))
    if not rule.get("resources"):
        errors.append(required(f"{path}.resources", "resource rules must supply at least one resource"))


def _role(namespaced: bool) -> Create:
    def check(errors: Errors, obj: Object) -> None:
        meta.object_meta(errors, obj["metadata"], namespaced, names.path_segment_name)
        for i, rule in enumerate(obj.get("rules") or ()):
            _rule(errors, rule, namespaced, f"rules[{i}]")
        for i, selector in enumerate((obj.get("aggregationRule") or {}).get("clusterRoleSelectors") or ()):
            meta.label_selector(errors, selector, f"aggregationRule.clusterRoleSelectors[{i}]")
        if "aggregationRule" in obj and not (obj["aggregationRule"] or {}).get("clusterRoleSelectors"):
            errors.append(required("aggregationRule.clusterRoleSelectors",
                                   "at least one clusterRoleSelector required if aggregationRule is non-nil"))
    return check


def _binding(namespaced: bool) -> Create:
    kinds = ("Role", "ClusterRole") if namespaced else ("ClusterRole",)

    def check(errors: Errors, obj: Object) -> None:
        meta.object_meta(errors, obj["metadata"], namespaced, names.path_segment_name)
        ref = obj["roleRef"]
        if ref.get("apiGroup") != GROUP:
            errors.append(not_supported("roleRef.apiGroup", ref.get("apiGroup", ""), (GROUP,)))
        if ref.get("kind") not in kinds:
            errors.append(not_supported("roleRef.kind", ref.get("kind", ""), kinds))
        name = ref.get("name", "")
        if not name:
            errors.append(required("roleRef.name"))
        else:
            messages_invalid(errors, "roleRef.name", name, names.path_segment_name(name, False))
        for i, subject in enumerate(obj.get("subjects") or ()):
            _subject(errors, subject, namespaced, f"subjects[{i}]")
    return check


def _subject(errors: Errors, subject: Object, namespaced: bool, path: str) -> None:
    kind, name, group = subject.get("kind", ""), subject.get("name", ""), subject.get("apiGroup", "")
    if not name:
        errors.append(required(f"{path}.name"))
    if kind == "ServiceAccount":
        if name:
            messages_invalid(errors, f"{path}.name", name, names.name_is_subdomain(name, False))
        if group:
            errors.append(not_supported(f"{path}.apiGroup", group, ("",)))
        if not subject.get("namespace"):
            errors.append(required(f"{path}.namespace"))
    elif kind in ("User", "Group"):
        if group != GROUP:
            errors.append(not_supported(f"{path}.apiGroup", group, (GROUP,)))
    else:
        errors.append(not_supported(f"{path}.kind", kind, ("ServiceAccount", "User", "Group")))


def _update(check: Create) -> Update:
    def update(errors: Errors, new: Object, old: Object) -> None:
        check(errors, new)
        meta.object_meta_update(errors, new["metadata"], old["metadata"])
        if "roleRef" in new and new["roleRef"] != old.get("roleRef"):
            errors.append(invalid("roleRef", GoValue(new["roleRef"], "rbac.v1.RoleRef"), "cannot change roleRef"))
    return update


RULES: dict[tuple[str, str], Rules] = {
    (GROUP, kind): Rules(check, _update(check)) for kind, check in {
        "Role": _role(True), "ClusterRole": _role(False), "RoleBinding": _binding(True),
        "ClusterRoleBinding": _binding(False)}.items()}
