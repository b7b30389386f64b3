"""`kubectl get`: 서버의 표를 그대로 찍거나, 오브젝트를 여러 모양으로 보여 준다."""

from __future__ import annotations

from typing import Any

from minik8s.lab import refs
from minik8s.lab.kubectl import gotemplate, jsonpath, printer
from minik8s.lab.kubectl.args import UsageError
from minik8s.lab.kubectl.session import Session
from minik8s.objects import Object
from minik8s.objects.kinds import KINDS
from minik8s.wire import StatusError

FORMATS = (
    "custom-columns, custom-columns-file, go-template, go-template-file, json, jsonpath, jsonpath-as-json, "
    "jsonpath-file, kyaml, name, template, templatefile, wide, yaml"
)
NOTHING_ASKED = """You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of \
supported resources.

error: Required resource not specified.
Use "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl explain pods).
See 'kubectl get -h' for help and examples"""


def get(s: Session) -> None:
    """Print objects as a table, YAML, JSON, names, JSONPath or custom columns."""
    if s.args.get("raw"):
        _raw(s)
        return
    if not s.args.words:
        raise UsageError(NOTHING_ASKED)
    output = s.args.get("output")
    targets = s.targets(_expand(s.args.words))
    if s.args.on("watch"):
        _watch(s, targets[0])
    elif output in {"", "wide"}:
        _tables(s, targets, wide=output == "wide")
    else:
        _objects(s, targets, output)


def _expand(words: list[str]) -> list[str]:
    """`all` stands for every resource of that category."""
    if words[0] != "all":
        return words
    return [
        ",".join(
            kind.resource_name
            for kind in KINDS
            if "all" in kind.categories
            and kind.version != "v2beta2"
            and not (kind.group == "autoscaling" and kind.version == "v1")
        ),
        *words[1:],
    ]


def _raw(s: Session) -> None:
    body = s.client.call("GET", s.args.get("raw"))
    if isinstance(body, bytes):
        body = body.decode()
    s.out.write(body if isinstance(body, str) else printer.to_json(body))


# ---- tables -----------------------------------------------------------------
def _tables(s: Session, targets: list[refs.Ref], *, wide: bool) -> None:
    groups: dict[str, list[str]] = {}
    for ref in targets:
        groups.setdefault(ref.resource, []).append(ref.name)
    several, printed = len(groups) > 1, 0
    for resource, names in groups.items():
        rows: list[list[str]] = []
        header: list[str] = []
        for name in names:
            try:
                header, more = _table(s, resource, name, wide=wide)
                rows += more
            except StatusError as error:
                if not (error.code == 404 and s.args.on("ignore-not-found")):
                    s.complain(error)
        if not rows:
            continue
        if several or s.args.on("show-kind") or any("/" in word for word in s.args.words):
            at = 1 if s.args.on("all-namespaces") and _namespaced(s, resource) else 0
            if several or s.args.on("show-kind"):
                for row in rows:
                    row[at] = f"{s.short(resource)}/{row[at]}"
        if printed:
            s.print()
        printed += 1
        lines = rows if s.args.on("no-headers") else [header, *rows]
        for line in printer.columns(lines):
            s.print(line)
    if not printed and not s.code:
        if s.args.on("ignore-not-found"):
            return
        anywhere = s.args.on("all-namespaces") or not any(_namespaced(s, r) for r in groups)
        s.err.write("No resources found\n" if anywhere else f"No resources found in {s.namespace} namespace.\n")


def _namespaced(s: Session, resource: str) -> bool:
    kind = s.kind_of(resource)
    return kind is None or kind.namespaced


def _path(s: Session, resource: str, name: str) -> str:
    if name:
        return s.client.paths.object(resource, s.namespace, name)
    return s.client.paths.collection(resource, s.scope(resource))


def _query(s: Session) -> dict[str, list[str]]:
    wanted = {"labelSelector": s.args.get("selector"), "fieldSelector": s.args.get("field-selector")}
    return {k: [v] for k, v in wanted.items() if v}


def _table(s: Session, resource: str, name: str, *, wide: bool) -> tuple[list[str], list[list[str]]]:
    query = _query(s) if not name else {}
    if s.args.get("sort-by"):
        query["includeObject"] = ["Object"]
    table = s.table(_path(s, resource, name), query)
    header, rows = printer.table_rows(table, wide=wide)
    objects = [row.get("object") or {} for row in table.get("rows") or []]
    if s.args.on("all-namespaces") and _namespaced(s, resource):
        header = ["NAMESPACE", *header]
        rows = [[o["metadata"]["namespace"], *row] for o, row in zip(objects, rows, strict=True)]
    if s.args.get("sort-by"):
        path = s.args.get("sort-by").strip("{}")
        order = sorted(range(len(rows)), key=lambda i: [str(v) for v in jsonpath.find(path, objects[i])])
        rows, objects = [rows[i] for i in order], [objects[i] for i in order]
    for label in [one for text in s.args.all("label-columns") for one in text.split(",")]:
        header = [*header, label.rpartition("/")[2].upper()]
        for row, obj in zip(rows, objects, strict=True):
            row.append((obj["metadata"].get("labels") or {}).get(label, ""))
    if s.args.on("show-labels"):
        header = [*header, "LABELS"]
        for row, obj in zip(rows, objects, strict=True):
            row.append(labels_text(obj["metadata"].get("labels")))
    return header, rows


def labels_text(labels: dict[str, str] | None) -> str:
    return ",".join(f"{k}={v}" for k, v in sorted((labels or {}).items())) or "<none>"


# ---- whole objects --------------------------------------------------------------
def _objects(s: Session, targets: list[refs.Ref], output: str) -> None:
    form, _, rest = output.partition("=")
    if form not in {"yaml", "json", "name", "jsonpath", "custom-columns", "go-template", "template"}:
        raise UsageError(
            f'error: unable to match a printer suitable for the output format "{output}", '
            f"allowed formats are: {FORMATS}"
        )
    found, one = [], len(targets) == 1 and bool(targets[0].name)
    for ref in targets:
        try:
            found += [(ref.resource, obj) for obj in _fetch(s, ref)]
        except StatusError as error:
            if not (error.code == 404 and s.args.on("ignore-not-found")):
                s.complain(error)
    if one and not found:
        return
    if not s.args.on("show-managed-fields"):
        found = [(resource, printer.without_managed_fields(obj)) for resource, obj in found]
    objects = [obj for _, obj in found]
    if s.args.get("sort-by"):
        path = s.args.get("sort-by").strip("{}")
        objects.sort(key=lambda o: [str(v) for v in jsonpath.find(path, o)])
    whole: Any = (
        objects[0]
        if one
        else {"apiVersion": "v1", "items": objects, "kind": "List", "metadata": {"resourceVersion": ""}}
    )
    if form == "yaml":
        s.out.write(printer.to_yaml(whole))
    elif form == "json":
        s.out.write(printer.to_json(whole))
    elif form == "name":
        for resource, obj in found:
            s.print(f"{s.short(resource)}/{obj['metadata']['name']}")
    elif form == "jsonpath":
        s.out.write(jsonpath.render(rest, whole))
    elif form == "custom-columns":
        _custom_columns(s, rest, objects)
    else:
        try:
            s.out.write(gotemplate.render(rest, whole))
        except (ValueError, TypeError) as error:
            raise UsageError(f"error: error executing template {rest!r}: {error}") from None


def _fetch(s: Session, ref: refs.Ref) -> list[Object]:
    if ref.name:
        return [s.client.get(ref.resource, s.namespace, ref.name)]
    kind = s.kind_of(ref.resource)
    found = s.client.list(
        ref.resource,
        s.scope(ref.resource),
        label_selector=s.args.get("selector"),
        field_selector=s.args.get("field-selector"),
    )
    head = {"apiVersion": kind.api_version, "kind": kind.kind} if kind else {}
    return [{**head, **obj} for obj in found]


def _custom_columns(s: Session, spec: str, objects: list[Object]) -> None:
    pairs = [part.partition(":") for part in spec.split(",")]
    rows = [[name for name, _, _ in pairs]] if not s.args.on("no-headers") else []
    for obj in objects:
        cells = [",".join(jsonpath.show(v) for v in jsonpath.find(path, obj)) or "<none>" for _, _, path in pairs]
        rows.append(cells)
    for line in printer.columns(rows):
        s.print(line)


# ---- watching ---------------------------------------------------------------------
WATCH_SECONDS = 60.0
"""How long `-w` follows on virtual time, where nobody presses Ctrl-C. `--timeout=2m` asks for more."""


def _watch(s: Session, ref: refs.Ref) -> None:
    from minik8s.lab.kubectl.session import duration

    seen: dict[str, list[str]] = {}
    end = s.place.now() + (duration(s.args.get("timeout")) if s.args.get("timeout") else WATCH_SECONDS)
    lines: list[list[str]] = []
    while True:
        header, rows = _table(s, ref.resource, ref.name, wide=s.args.get("output") == "wide")
        lines = lines or [header]
        age = header.index("AGE") if "AGE" in header else len(header)
        for row in rows:
            if seen.get(row[0]) != row[:age]:
                seen[row[0]] = row[:age]
                lines.append(row)
        if s.place.now() >= end or not _one_event(s, end):
            break
    for line in printer.columns(lines):
        s.print(line)


def _one_event(s: Session, end: float) -> bool:
    if s.place.virtual:
        return s.place.step() and s.place.now() <= end
    s.place.sleep(0.2)
    return True
