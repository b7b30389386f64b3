"""클러스터를 알아보는 명령: version, cluster-info, api-resources, api-versions, explain, auth, config, wait, events."""

from __future__ import annotations

from minik8s.lab import conditions
from minik8s.lab.kubectl import jsonpath, printer
from minik8s.lab.kubectl.args import UsageError
from minik8s.lab.kubectl.customkinds import custom_kinds
from minik8s.lab.kubectl.describe_more import RULES, rule_rows
from minik8s.lab.kubectl.describe_text import age
from minik8s.lab.kubectl.session import Session, duration
from minik8s.objects import Object
from minik8s.objects.kinds import KINDS, Kind
from minik8s.wire import StatusError


def version(s: Session) -> None:
    info = s.client.call("GET", "/version")
    s.print(f"Client Version: {info['gitVersion']}\nServer Version: {info['gitVersion']}")


def cluster_info(s: Session) -> None:
    s.print(f"Kubernetes control plane is running at {getattr(s.place, 'url', s.place.name)}")
    s.print("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.")


def api_resources(s: Session) -> None:
    """Every kind in the version that the server prefers, by group and name."""
    wide, group = s.args.get("output") == "wide", s.args.options.get("api-group")
    verbs = {verb for verb in s.args.get("verbs").split(",") if verb}
    rows = []
    for kind in sorted(_preferred(s), key=lambda k: (k.group, k.plural)):
        if (group is not None and kind.group != group) or not verbs <= set(kind.verbs):
            continue
        if "namespaced" in s.args.options and s.args.on("namespaced") != kind.namespaced:
            continue
        if s.args.get("output") == "name":
            s.print(kind.resource_name)
            continue
        row = [kind.plural, ",".join(kind.short_names), kind.api_version, str(kind.namespaced).lower(), kind.kind]
        rows.append([*row, ",".join(sorted(kind.verbs)), ",".join(kind.categories)] if wide else row)
    head = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND", *(["VERBS", "CATEGORIES"] if wide else [])]
    if s.args.get("output") != "name":
        for line in printer.columns([*([] if s.args.on("no-headers") else [head]), *rows]):
            s.print(line)


def _preferred(s: Session) -> list[Kind]:
    """One version of each kind: of each group the version that the server names as preferred, else what there is."""
    preferred = {g["name"]: g["preferredVersion"]["version"] for g in s.client.call("GET", "/apis")["groups"]}
    found: dict[str, Kind] = {}
    for kind in [*KINDS, *custom_kinds(s.client)]:
        if kind.resource_name not in found or kind.version == preferred.get(kind.group):
            found[kind.resource_name] = kind
    return list(found.values())


def api_versions(s: Session) -> None:
    core, groups = s.client.call("GET", "/api"), s.client.call("GET", "/apis")
    named = [one["groupVersion"] for group in groups["groups"] for one in group["versions"]]
    for version in sorted([*core["versions"], *named]):
        s.print(version)


def auth(s: Session) -> None:
    """`auth can-i VERB RESOURCE`, `auth can-i --list` and `auth whoami`."""
    what, words = (s.args.words or [""])[0], s.args.words[1:]
    if what == "whoami":
        review = s.client.create(
            "selfsubjectreviews.authentication.k8s.io",
            {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview", "metadata": {}},
        )
        user = review["status"]["userInfo"]
        rows = [["ATTRIBUTE", "VALUE"], ["Username", user["username"]]]
        rows += [["UID", user["uid"]]] if user.get("uid") else []
        rows += [["Groups", f"[{' '.join(user.get('groups') or ())}]"]]
        for line in printer.columns(rows):
            s.print(line)
        return
    if what == "can-i" and s.args.on("list"):
        return _list_of_permissions(s)
    if what != "can-i" or len(words) < 2:
        raise UsageError("error: you must specify two arguments: verb resource or verb resource/resourceName.")
    resource, _, name = words[1].partition("/")
    full = s.resource(resource)
    plural, _, group = full.partition(".")
    kind = s.kind_of(full)
    if kind is not None and not kind.namespaced and not s.args.on("all-namespaces"):
        of = f" in group '{group}'" if group else ""
        s.err.write(f"Warning: resource '{plural}' is not namespace scoped{of}\n\n")
    attributes = {
        "namespace": s.namespace,
        "verb": words[0],
        "resource": plural,
        "group": group,
        "name": name or (words[2] if len(words) > 2 else ""),
    }
    if s.args.get("subresource"):
        attributes["subresource"] = s.args.get("subresource")
    review = s.client.create(
        "selfsubjectaccessreviews.authorization.k8s.io",
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "metadata": {},
            "spec": {"resourceAttributes": {k: v for k, v in attributes.items() if v}},
        },
    )
    allowed = bool(review["status"].get("allowed"))
    s.print("yes" if allowed else "no")
    s.code = 0 if allowed else 1


def _list_of_permissions(s: Session) -> None:
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "metadata": {}}
    spec = {"spec": {"namespace": s.namespace}}
    status = s.client.create("selfsubjectrulesreviews.authorization.k8s.io", review | spec)["status"]
    rows = rule_rows([*(status.get("resourceRules") or ()), *(status.get("nonResourceRules") or ())])
    for line in printer.columns([*([] if s.args.on("no-headers") else [RULES.split("\t")]), *rows]):
        s.print(line)


def config(s: Session) -> None:
    what = (s.args.words or [""])[0]
    if what == "current-context":
        s.print(s.place.name)
    elif what == "get-contexts":
        rows = [
            ["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"],
            ["*", s.place.name, s.place.name, s.user.name, s.namespace],
        ]
        for line in printer.columns(rows):
            s.print(line)
    else:
        raise UsageError("error: 이 자리의 kubectl config는 current-context와 get-contexts만 안다.")


def wait(s: Session) -> None:
    """`wait --for=condition=Ready|delete|jsonpath=... pod/x --timeout=30s`."""
    wanted = s.args.get("for")
    if not wanted:
        raise UsageError("error: condition must be specified with --for")
    timeout = duration(s.args.get("timeout", "30s"))
    for ref in s.targets(s.args.words):
        names = (
            [ref.name]
            if ref.name
            else [
                o["metadata"]["name"]
                for o in s.client.list(ref.resource, s.namespace, label_selector=s.args.get("selector"))
            ]
        )
        for name in names:
            _wait_one(s, ref.resource, name, wanted, timeout)


def _wait_one(s: Session, resource: str, name: str, wanted: str, timeout: float) -> None:
    label = f"{s.short(resource)}/{name}"
    if wanted != "delete" and wanted != "create" and s.client.find(resource, s.namespace, name) is None:
        plural = resource.partition(".")[0]
        group = resource.partition(".")[2]
        s.complain(f'Error from server (NotFound): {plural}{"." + group if group else ""} "{name}" not found')
        return
    test = _test(wanted)
    if s.wait(lambda: test(s.client.find(resource, s.namespace, name)), timeout):
        s.print(f"{label} {'deleted' if wanted == 'delete' else 'condition met'}")
    else:
        s.complain(
            f"error: timed out waiting for the condition on {resource.partition('.')[0]}"
            f"{'.' + resource.partition('.')[2] if '.' in resource else ''}/{name}"
        )


def _test(wanted: str) -> conditions.Predicate:
    if wanted in {"delete", "create"}:
        return conditions.named("deleted" if wanted == "delete" else "exists")
    kind, _, rest = wanted.partition("=")
    if kind == "condition":
        return conditions.named(f"condition={rest}")
    if kind == "jsonpath":
        path, _, value = rest.rpartition("=")
        path = (path or value).strip("'{}")
        return lambda obj: (
            obj is not None and any(not path or jsonpath.show(v) == value for v in jsonpath.find(path, obj))
        )
    raise UsageError(f'error: unrecognized condition: "{wanted}"')


def events(s: Session) -> None:
    """`kubectl events`: sorted by time, `--for pod/x` of one object."""
    rows = [["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]]
    about = s.targets([s.args.get("for")])[0] if s.args.get("for") else None
    for event in sorted(s.client.list("events", s.scope("events")), key=_when):
        one = event["involvedObject"]
        if about is not None and (one["name"] != about.name or s.resource(one["kind"]) != about.resource):
            continue
        if s.args.get("types") and event["type"] not in s.args.get("types").split(","):
            continue
        last = age(s.place.now(), event.get("lastTimestamp") or event.get("eventTime"))
        if (event.get("count") or 1) > 1:
            last += f" (x{event['count']} over {age(s.place.now(), event.get('firstTimestamp'))})"
        row = [last, event["type"], event["reason"], f"{one['kind']}/{one['name']}", event["message"].strip()]
        rows.append([event["metadata"]["namespace"], *row] if s.args.on("all-namespaces") else row)
    if s.args.on("all-namespaces"):
        rows[0].insert(0, "NAMESPACE")
    if len(rows) == 1:
        s.err.write(f"No events found in {s.namespace} namespace.\n")
        return
    for line in printer.columns(rows):
        s.print(line)


def _when(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")


def explain(s: Session) -> None:
    """Fields of a kind with their descriptions, from the server's OpenAPI."""
    from minik8s.lab.kubectl.explain import lines

    if not s.args.words:
        raise UsageError(
            'error: You must specify the type of resource to explain. Use "kubectl api-resources" for a '
            "complete list of supported resources."
        )
    try:
        for line in lines(s, s.args.words[0], recursive=s.args.on("recursive")):
            s.print(line)
    except StatusError as error:
        s.complain(error)
