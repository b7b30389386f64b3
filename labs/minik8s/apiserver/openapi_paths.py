"""OpenAPI paths: the operations of a kind, as clients look them up (kubectl: fieldValidation, patch types, explain)."""

from __future__ import annotations

from minik8s.objects import Object
from minik8s.objects.kinds import Kind, Subresource

_PATCHES = [
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
]
_ANSWERS = ["application/json", "application/yaml"]
_TEXTS = {
    "pretty": "If 'true', then the output is pretty printed.",
    "dryRun": "When present, indicates that modifications should not be persisted. Valid values are: "
    "- All: all dry run stages will be processed",
    "fieldManager": "fieldManager is a name associated with the actor or entity that is making these changes.",
    "fieldValidation": "fieldValidation instructs the server on how to handle objects in the request (POST/PUT/PATCH) "
    "containing unknown or duplicate fields. Valid values are: Ignore, Warn, Strict.",
    "force": "Force is going to \"force\" Apply requests.",
    "labelSelector": "A selector to restrict the list of returned objects by their labels. Defaults to everything.",
    "fieldSelector": "A selector to restrict the list of returned objects by their fields. Defaults to everything.",
    "limit": "limit is a maximum number of responses to return for a list call.",
    "continue": "The continue option should be set when retrieving more results from the server.",
    "watch": "Watch for changes to the described resources and return them as a stream of notifications.",
    "resourceVersion": "resourceVersion sets a constraint on what resource versions a request may be served from.",
    "resourceVersionMatch": "resourceVersionMatch determines how resourceVersion is applied to list calls.",
    "timeoutSeconds": "Timeout for the list/watch call.",
    "allowWatchBookmarks": "allowWatchBookmarks requests watch events with type \"BOOKMARK\".",
    "sendInitialEvents": "sendInitialEvents=true may be set together with watch=true.",
    "gracePeriodSeconds": "The duration in seconds before the object should be deleted.",
    "propagationPolicy": "Whether and how garbage collection will be performed.",
    "orphanDependents": "Deprecated: please use the PropagationPolicy.",
}
_TYPES = {
    "force": "boolean",
    "watch": "boolean",
    "allowWatchBookmarks": "boolean",
    "sendInitialEvents": "boolean",
    "orphanDependents": "boolean",
    "limit": "integer",
    "timeoutSeconds": "integer",
    "gracePeriodSeconds": "integer",
}
_LIST = [
    *("allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion"),
    *("resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch"),
]
_WRITE = ["dryRun", "fieldManager", "fieldValidation"]
_DELETE = ["dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy"]
# verb of a kind -> (method, action, query parameters, takes a name)
_VERBS: dict[str, tuple[str, str, list[str], bool]] = {
    "list": ("get", "list", _LIST, False),
    "create": ("post", "post", _WRITE, False),
    "deletecollection": ("delete", "deletecollection", [*_LIST[:-1], *_DELETE], False),
    "get": ("get", "get", [], True),
    "update": ("put", "put", _WRITE, True),
    "patch": ("patch", "patch", [*_WRITE, "force"], True),
    "delete": ("delete", "delete", _DELETE, True),
}


class Paths:
    """Builds the paths of one group and version. `old`: in the form of OpenAPI 2."""

    def __init__(self, group: str, version: str, prefix: str, old: bool = False):
        self.group, self.version, self.prefix, self.old = group, version, prefix, old
        self.base = f"/apis/{group}/{version}" if group else f"/api/{version}"
        self.tag = _camel(f"{group.split('.')[0] or 'core'}_{version}", lower=True)
        self.paths: dict[str, Object] = {}

    def add(self, kind: Kind, schema: str, list_schema: str) -> None:
        """The operations of a kind whose object and list have these OpenAPI names."""
        here = f"{self.base}{'/namespaces/{namespace}' if kind.namespaced else ''}/{kind.plural}"
        for verb in kind.verbs:
            if verb not in _VERBS:
                continue
            method, action, query, named = _VERBS[verb]
            path = f"{here}/{{name}}" if named else here
            answer = list_schema if verb == "list" else schema
            self._operation(path, method, action, query, kind, answer, schema)
        if kind.namespaced and "list" in kind.verbs:
            method, action, query, _ = _VERBS["list"]
            self._operation(f"{self.base}/{kind.plural}", method, action, query, kind, list_schema, schema)
        for sub in kind.subresources:
            self._subresource(f"{here}/{{name}}/{sub.name}", kind, sub, schema)

    def _subresource(self, path: str, kind: Kind, sub: Subresource, schema: str) -> None:
        for verb in sub.verbs:
            method, action, query, _ = _VERBS["create" if verb == "create" else verb]
            self._operation(path, method, action, query, kind, schema, schema, sub)

    def _operation(
        self,
        path: str,
        method: str,
        action: str,
        query: list[str],
        kind: Kind,
        answer: str,
        body: str,
        sub: Subresource | None = None,
    ) -> None:
        item = self.paths.setdefault(path, {"parameters": self._path_parameters(path)})
        group, version = (sub.group or kind.group, sub.version or kind.version) if sub else (kind.group, kind.version)
        operation: Object = {
            "tags": [self.tag],
            "description": _described(action, kind.kind, sub),
            "operationId": self._id(method, action, kind, path, sub),
            "parameters": [self._parameter(name) for name in sorted(query)],
            "responses": self._responses(answer),
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": {
                "group": group,
                "version": version,
                "kind": sub.kind if sub else kind.kind,
            },
        }
        if method in ("post", "put", "patch"):
            self._body(operation, method, kind, body)
        item[method] = operation

    def _id(self, method: str, action: str, kind: Kind, path: str, sub: Subresource | None) -> str:
        verb = {"get": "read", "post": "create", "put": "replace"}.get(action, action)
        scope = "Namespaced" if "{namespace}" in path else ""
        every = "ForAllNamespaces" if kind.namespaced and not scope else ""
        tail = _camel(sub.name) if sub else ""
        name = f"{verb if verb != 'deletecollection' else 'deleteCollection'}{_camel(self.tag)}{scope}{kind.kind}"
        return name + tail + every

    def _path_parameters(self, path: str) -> list[Object]:
        found = [self._parameter("pretty")]
        for name in ("name", "namespace"):
            if f"{{{name}}}" in path:
                found.insert(0, self._in_path(name))
        return found

    def _in_path(self, name: str) -> Object:
        text = "name of the object" if name == "name" else "object name and auth scope, such as for teams and projects"
        return {"name": name, "in": "path", "description": text, "required": True, **self._typed("string")}

    def _parameter(self, name: str) -> Object:
        kind = _TYPES.get(name, "string")
        return {"name": name, "in": "query", "description": _TEXTS[name], **self._typed(kind)}

    def _typed(self, kind: str) -> Object:
        return {"type": kind, "uniqueItems": True} if self.old else {"schema": {"type": kind, "uniqueItems": True}}

    def _responses(self, schema: str) -> Object:
        body: Object = {"$ref": self.prefix + schema}
        ok: Object = {"description": "OK"}
        if self.old:
            ok["schema"] = body
        else:
            ok["content"] = {kind: {"schema": body} for kind in _ANSWERS}
        return {"200": ok, "401": {"description": "Unauthorized"}}

    def _body(self, operation: Object, method: str, kind: Kind, schema: str) -> None:
        reference: Object = {"$ref": self.prefix + schema}
        kinds = ["*/*"]
        if method == "patch":
            reference = {"$ref": f"{self.prefix}io.k8s.apimachinery.pkg.apis.meta.v1.Patch"}
            kinds = [name for name in _PATCHES if not (kind.custom and "strategic" in name)]
        if self.old:
            operation["consumes"] = kinds
            body = {"name": "body", "in": "body", "required": True, "schema": reference}
            operation["parameters"].insert(0, body)
        else:
            operation["requestBody"] = {"content": {name: {"schema": reference} for name in kinds}, "required": True}


def _described(action: str, kind: str, sub: Subresource | None) -> str:
    what = f"{sub.name} of the specified {kind}" if sub else kind
    texts = {
        "list": f"list or watch objects of kind {kind}",
        "post": f"create {what}" if sub else f"create a {kind}",
        "get": f"read {what}" if sub else f"read the specified {kind}",
        "put": f"replace {what}" if sub else f"replace the specified {kind}",
        "patch": f"partially update {what}" if sub else f"partially update the specified {kind}",
        "delete": f"delete a {kind}",
        "deletecollection": f"delete collection of {kind}",
    }
    return texts[action]


def _camel(text: str, lower: bool = False) -> str:
    if lower:
        head, _, tail = text.partition("_")
        return f"{head}_{tail}"
    return "".join(part[:1].upper() + part[1:] for part in text.replace("-", "_").split("_"))


PATCH_SCHEMA: Object = {
    "description": "Patch is provided to give a concrete name and type to the Kubernetes PATCH request body.",
    "type": "object",
}

