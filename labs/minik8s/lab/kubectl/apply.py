"""`kubectl apply`, `create -f`, `replace`, `delete`, `diff`: 매니페스트를 클러스터로 보내고 거둔다."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable
from pathlib import Path

import yaml

from minik8s.lab import manifests, refs
from minik8s.lab.kubectl import printer, threeway
from minik8s.lab.kubectl.args import UsageError
from minik8s.lab.kubectl.session import Session, duration
from minik8s.objects import Object
from minik8s.wire import StatusError

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_NOT_APPLIED_BEFORE = (
    f"Warning: resource {{}} is missing the {LAST_APPLIED} annotation which is required by kubectl apply. "
    "kubectl apply should only be used on resources created declaratively by either kubectl create --save-config "
    "or kubectl apply. The missing annotation will be patched automatically.\n"
)


def documents(s: Session) -> list[tuple[str, Object]]:
    """(file name, object) of every `-f`, in order; `-f -` reads standard input."""
    if not s.args.all("filename"):
        raise UsageError("error: must specify one of -f and -k")
    out = []
    for name in s.args.all("filename"):
        if name == "-":
            out += [("STDIN", obj) for obj in _read("STDIN", s.stdin)]
            continue
        try:
            path = manifests.locate(name)
        except FileNotFoundError:
            raise UsageError(f'error: the path "{name}" does not exist') from None
        files = sorted(p for p in path.iterdir() if p.suffix in {".yaml", ".yml", ".json"}) if path.is_dir() else [path]
        out += [(_shown(name, path, file), obj) for file in files for obj in _read(name, file.read_text("utf-8"))]
    return out


def _shown(name: str, path: Path, file: Path) -> str:
    return name if file == path else f"{name.rstrip('/')}/{file.name}"


def _read(name: str, text: str) -> list[Object]:
    try:
        found = [doc for doc in yaml.safe_load_all(text) if doc is not None]
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise UsageError(
            f"error: error parsing {name}: error converting YAML to JSON: yaml: line {line}: {error.problem}"
        ) from None
    for obj in found:
        for field, value in (("apiVersion", obj.get("apiVersion")), ("kind", obj.get("kind"))):
            if not value:
                raise UsageError(
                    f'error: error validating "{name}": error validating data: {field} not set; if you '
                    "choose to ignore these errors, turn validation off with --validate=false"
                )
    return [item for obj in found for item in (obj["items"] if obj["kind"] == "List" else [obj])]


def place_of(s: Session, name: str, obj: Object) -> tuple[refs.Ref, str]:
    """The reference and namespace of an object in a file."""
    try:
        ref = refs.of(obj, s.client)
    except ValueError:
        ref = refs.Ref("", "")
    if not ref.resource or not served(s, ref.resource, obj["apiVersion"]):
        meta = obj["metadata"]
        raise UsageError(
            f'error: resource mapping not found for name: "{meta.get("name", "")}" namespace: '
            f'"{meta.get("namespace", "")}" from "{name}": no matches for kind "{obj["kind"]}" in version '
            f'"{obj["apiVersion"]}"\nensure CRDs are installed first'
        )
    return ref, obj["metadata"].get("namespace") or s.namespace


def served(s: Session, resource: str, api_version: str) -> bool:
    """Whether discovery tells of `resource` in this version."""
    try:
        found = s.client.call("GET", f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}")
    except StatusError as error:
        if error.code != 404:
            raise
        return False
    return isinstance(found, dict) and any(r["name"] == resource.partition(".")[0] for r in found.get("resources", ()))


def dry_run(s: Session) -> tuple[str, dict[str, list[str]]]:
    """The words behind a result, and the query of the calls."""
    mode = s.args.get("dry-run")
    if mode in {"", "none"}:
        return "", {}
    return (" (dry run)", {}) if mode == "client" else (" (server dry run)", {"dryRun": ["All"]})


def each(s: Session, what: str, work: Callable[[str, Object, refs.Ref, str], None]) -> None:
    """Do `work` for every document; a refused one is told and does not stop the others."""
    for name, obj in documents(s):
        ref, namespace = place_of(s, name, obj)
        try:
            work(name, obj, ref, namespace)
        except StatusError as error:
            s.complain(error, f'error when {what} "{name}": ' if error.reason != "Invalid" else "")


# ---- apply -------------------------------------------------------------------
def apply(s: Session) -> None:
    """Create or patch towards a manifest, remembering it for the next time (client-side apply), or `--server-side`."""
    each(
        s,
        "applying",
        lambda name, obj, ref, ns: (_server_side if s.args.on("server-side") else _apply)(s, name, obj, ref, ns),
    )


_WAYS_OUT = """\
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts"""


def _server_side(s: Session, name: str, obj: Object, ref: refs.Ref, namespace: str) -> None:
    words, query = dry_run(s)
    manager = s.args.get("field-manager", "kubectl")
    query = {**query, "fieldManager": [manager], "force": ["true" if s.args.on("force-conflicts") else "false"]}
    path = s.client.paths.object(ref.resource, namespace, ref.name)
    try:
        s.client.call("PATCH", path, obj, query=query, content_type="application/apply-patch+yaml")
    except StatusError as error:
        if error.reason != "Conflict":
            raise
        s.complain(f"error: {error.message}\n{_WAYS_OUT}")
        return
    s.print(f"{s.short(ref.resource)}/{ref.name} serverside-applied{words}")


def _apply(s: Session, name: str, obj: Object, ref: refs.Ref, namespace: str) -> None:
    words, query = dry_run(s)
    label = f"{s.short(ref.resource)}/{ref.name}"
    live = s.client.find(ref.resource, namespace, ref.name)
    body = _remember(obj, namespace, s)
    path = s.client.paths.object(ref.resource, namespace, ref.name)
    if live is None:
        if words != " (dry run)":
            try:
                _create(s, ref.resource, namespace, body, query)
            except StatusError as error:
                s.complain(error, f'error when creating "{name}": ' if error.reason != "Invalid" else "")
                return
        s.print(f"{label} created{words}")
        return
    last = json.loads((live["metadata"].get("annotations") or {}).get(LAST_APPLIED, "{}"))
    if LAST_APPLIED not in (live["metadata"].get("annotations") or {}):
        s.err.write(_NOT_APPLIED_BEFORE.format(f"{ref.resource.partition('.')[0]}/{ref.name}"))
    patch = _patch(s, ref.resource, last, body, live)
    if not patch:
        s.print(f"{label} unchanged{words}")
        return
    if words != " (dry run)":
        s.client.call("PATCH", path, patch, query=query, content_type=_patch_type(s, ref.resource))
    s.print(f"{label} configured{words}")


def _patch(s: Session, resource: str, last: Object, body: Object, live: Object) -> Object:
    return threeway.patch(last, body, live, resource, strategic=s.kind_of(resource) is not None)


def _patch_type(s: Session, resource: str) -> str:
    """Custom resources know no strategic merge."""
    strategic = s.kind_of(resource) is not None
    return "application/strategic-merge-patch+json" if strategic else "application/merge-patch+json"


def _remember(obj: Object, namespace: str, s: Session) -> Object:
    meta = {"annotations": {}, **obj["metadata"]}
    kind = s.kind_of(refs.of(obj, s.client).resource)
    if kind is None or kind.namespaced:
        meta["namespace"] = namespace
    meta["annotations"] = {k: v for k, v in (meta["annotations"] or {}).items() if k != LAST_APPLIED}
    plain = {**obj, "metadata": meta}
    text = json.dumps(plain, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n"
    return {**plain, "metadata": {**meta, "annotations": {**meta["annotations"], LAST_APPLIED: text}}}


def _create(s: Session, resource: str, namespace: str, obj: Object, query: dict[str, list[str]]) -> Object:
    return s.client.call(
        "POST",
        s.client.paths.collection(resource, namespace),
        obj,
        query={**query, "fieldManager": [f"kubectl-{s.args.words[0] if s.args.words else 'create'}"]},
    )


# ---- create -f, replace, diff ---------------------------------------------------
def create_files(s: Session) -> None:
    words, query = dry_run(s)

    def one(name: str, obj: Object, ref: refs.Ref, namespace: str) -> None:
        made = obj if words == " (dry run)" else _create(s, ref.resource, namespace, obj, query)
        show(s, ref.resource, made, f"created{words}")

    each(s, "creating", one)


def show(s: Session, resource: str, obj: Object, done: str) -> None:
    """Print a made object as `-o` wants, or `kind/name done`."""
    output, name = s.args.get("output"), f"{s.short(resource)}/{obj['metadata']['name']}"
    if output == "name":
        s.print(name)
    elif output == "yaml":
        s.out.write(printer.to_yaml(printer.without_managed_fields(obj)))
    elif output == "json":
        s.out.write(printer.to_json(printer.without_managed_fields(obj)))
    else:
        s.print(f"{name} {done}")


def replace(s: Session) -> None:
    """Put a manifest in the place of the stored object."""
    words, query = dry_run(s)

    def one(name: str, obj: Object, ref: refs.Ref, namespace: str) -> None:
        live = s.client.get(ref.resource, namespace, ref.name)
        meta = {"resourceVersion": live["metadata"]["resourceVersion"], **obj["metadata"]}
        path = s.client.paths.object(ref.resource, namespace, ref.name)
        s.client.call("PUT", path, {**obj, "metadata": meta}, query=query)
        s.print(f"{s.short(ref.resource)}/{ref.name} replaced{words}")

    each(s, "replacing", one)


def diff(s: Session) -> None:
    """What `apply` would change, as a unified diff; exit code 1 when there is something."""

    def one(name: str, obj: Object, ref: refs.Ref, namespace: str) -> None:
        live = s.client.find(ref.resource, namespace, ref.name)
        body = _remember(obj, namespace, s)
        path = s.client.paths.object(ref.resource, namespace, ref.name)
        if live is None:
            merged = _create(s, ref.resource, namespace, body, {"dryRun": ["All"]})
        else:
            last = json.loads((live["metadata"].get("annotations") or {}).get(LAST_APPLIED, "{}"))
            merged = s.client.call(
                "PATCH",
                path,
                _patch(s, ref.resource, last, body, live),
                query={"dryRun": ["All"]},
                content_type=_patch_type(s, ref.resource),
            )
        before = printer.to_yaml(printer.without_managed_fields(live)) if live else ""
        after = printer.to_yaml(printer.without_managed_fields(merged))
        lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), "LIVE", "MERGED", lineterm=""))
        if lines:
            s.code = 1
            s.print("\n".join(lines))

    each(s, "diffing", one)


# ---- delete ------------------------------------------------------------------------
NOTHING_TO_DELETE = """error: You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'"""


def delete(s: Session) -> None:
    """Delete objects by name, selector or file, and wait until they are gone (unless `--wait=false`)."""
    wanted: list[tuple[str, str, str]] = []
    if s.args.all("filename"):
        for name, obj in documents(s):
            ref, namespace = place_of(s, name, obj)
            wanted.append((ref.resource, namespace, ref.name))
    elif not s.args.words:
        raise UsageError(NOTHING_TO_DELETE)
    else:
        wanted = _named_or_selected(s)
    gone = [target for target in wanted if _delete_one(s, *target)]
    if s.args.get("wait", "true") == "true" and not dry_run(s)[0]:
        timeout = duration(s.args.get("timeout")) if s.args.get("timeout") else None
        for resource, namespace, name in gone:
            if not s.wait(lambda r=resource, n=namespace, x=name: s.client.find(r, n, x) is None, timeout):  # type: ignore[misc]
                s.complain(f"error: timed out waiting for the condition on {resource.partition('.')[0]}/{name}")
    if not wanted and not s.code and not s.args.on("ignore-not-found"):
        s.print("No resources found")


def _named_or_selected(s: Session) -> list[tuple[str, str, str]]:
    out = []
    for ref in s.targets(_all_kinds(s.args.words)):
        if ref.name:
            out.append((ref.resource, s.namespace, ref.name))
            continue
        if not (s.args.on("all") or s.args.get("selector") or s.args.get("field-selector")):
            raise UsageError("error: resource(s) were provided, but no name was specified")
        found = s.client.list(
            ref.resource,
            s.scope(ref.resource),
            label_selector=s.args.get("selector"),
            field_selector=s.args.get("field-selector"),
        )
        out += [(ref.resource, o["metadata"].get("namespace", ""), o["metadata"]["name"]) for o in found]
    return out


def _all_kinds(words: list[str]) -> list[str]:
    from minik8s.lab.kubectl.get import _expand

    return _expand(words)


def _delete_one(s: Session, resource: str, namespace: str, name: str) -> bool:
    cascade = {
        "background": "Background",
        "foreground": "Foreground",
        "orphan": "Orphan",
        "true": "Background",
        "false": "Orphan",
    }[s.args.get("cascade", "background")]
    grace = s.args.get("grace-period")
    if s.args.on("now"):
        grace = "1"
    if s.args.on("force"):
        grace = grace or "0"
        s.err.write(
            "Warning: Immediate deletion does not wait for confirmation that the running resource has been "
            "terminated. The resource may continue to run on the cluster indefinitely.\n"
        )
    words, query = dry_run(s)
    try:
        if words == " (dry run)":
            s.client.get(resource, namespace, name)
        elif not query:
            s.client.delete(resource, namespace, name, propagation=cascade, grace=int(grace) if grace else None)
    except StatusError as error:
        if error.code == 404 and s.args.on("ignore-not-found"):
            return False
        prefix = f'error when deleting "{s.args.all("filename")[0]}": ' if s.args.all("filename") else ""
        s.complain(error, prefix)
        return False
    kind = s.kind_of(resource)
    where = f" from {namespace} namespace" if kind is None or kind.namespaced else ""
    verb = "force deleted" if s.args.on("force") else "deleted"
    s.print(f'{s.short(resource)} "{name}" {verb}{where}{words}')
    return True
