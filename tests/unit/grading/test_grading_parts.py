"""Variants, notebooks, exports and likeness, one by one."""

import json
import re
import unicodedata
from typing import Any

import pytest
import yaml

from minik8s.cluster import Cluster
from minik8s.grading import export, feedback, gradebook, notebook, release, report, similar, story, variants
from minik8s.grading.assignment import Assignment, find, shipped
from minik8s.grading.case import resource_of

SPEC = {"name": {"choose": ["a", "b", "c"]}, "n": {"range": [2, 8, 2]},
        "two": {"sample": [1, 2, 3], "count": 2}, "x": 1}


def test_a_variant_depends_on_secret_assignment_and_student_only() -> None:
    first = variants.variant(SPEC, b"secret", "01", "김철수")
    assert first == variants.variant(SPEC, b"secret", "01", unicodedata.normalize("NFD", "김철수 "))
    assert first["x"] == 1 and first["n"] in (2, 4, 6, 8) and len(set(first["two"])) == 2
    many = {json.dumps(variants.variant(SPEC, b"secret", "01", str(n))) for n in range(200)}
    assert len(many) > 40
    assert any(variants.variant(SPEC, s, a, "김철수") != first for s, a in ((b"other", "01"), (b"secret", "02")))


def test_unknown_draws_and_fields_are_errors() -> None:
    with pytest.raises(ValueError):
        variants.variant({"a": {"roll": 3}}, b"", "", "")
    with pytest.raises(KeyError):
        variants.fill("{{a}}", {})


def test_notebooks_keep_nbgraders_metadata_and_lose_solutions() -> None:
    assignment = find("04-scheduler-plugin")
    found = json.loads(notebook.to_ipynb(assignment.handout(assignment.variant())))
    cells = {c["metadata"]["nbgrader"]["grade_id"]: c for c in found["cells"] if c["metadata"]}
    assert cells["plugin"]["metadata"]["nbgrader"]["solution"] is True
    assert cells["counts"]["metadata"]["nbgrader"] == {
        "grade": True, "grade_id": "counts", "locked": True, "points": 3, "schema_version": 3, "solution": False,
        "task": False}
    assert "NotImplementedError" in "".join(cells["plugin"]["source"])
    compile("".join(cells["plugin"]["source"][1:]), "handout", "exec")


NBGRADER = {"schema_version": int, "grade": bool, "locked": bool, "solution": bool, "task": bool}
"""What nbgrader 0.9's cell metadata schema (version 3) requires; grade_id, points, checksum, cell_type may follow."""


@pytest.mark.parametrize("assignment", shipped(), ids=lambda a: a.name)
@pytest.mark.parametrize("version", ["teacher", "student"])
def test_notebooks_follow_nbgraders_schema(assignment: Assignment, version: str) -> None:
    values = assignment.variant()
    made = assignment.cells(values) if version == "teacher" else assignment.handout(values)
    found = json.loads(notebook.to_ipynb(made))
    assert (found["nbformat"], found["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in found["cells"]}) == len(found["cells"])
    marked = [cell["metadata"]["nbgrader"] for cell in found["cells"] if cell["metadata"]]
    for meta in marked:
        assert {name: type(meta[name]) for name in NBGRADER} == NBGRADER and meta["schema_version"] == 3
        assert re.fullmatch(r"[a-zA-Z0-9_\-]+", meta["grade_id"])
        assert set(meta) <= {*NBGRADER, "grade_id", "points", "checksum", "cell_type"}
        assert meta["grade"] == (meta.get("points", 0) > 0)
        assert not (meta["locked"] and meta["solution"])
    ids = [meta["grade_id"] for meta in marked]
    assert len(set(ids)) == len(ids)
    assert {m["grade_id"]: m["points"] for m in marked if m["grade"]} == gradebook.grade_cells(assignment)


def test_a_graded_notebook_shows_the_answer_and_what_was_said() -> None:
    assignment = find("13-diagnose")
    rows = [{"id": c.id, "title": c.title, "points": c.points, "hidden": c.hidden, "manual": c.manual,
             "got": None if c.manual else c.points, "message": ""} for c in assignment.checks]
    result = {"values": assignment.variant(), "checks": rows}
    data = json.dumps({"answers": {"why": "이벤트를 보았다."}}).encode()
    cells = {c["metadata"].get("nbgrader", {}).get("grade_id"): c
             for c in json.loads(gradebook.marked(assignment, result, data))["cells"]}
    assert "이벤트를 보았다." in "".join(cells["why"]["source"])
    assert cells["ready"]["outputs"][0]["text"] == ["[통과] 파드가 모두 준비된다\n"]
    assert len(cells["hidden"]["outputs"][0]["text"]) == 2
    assert gradebook.grade_cells(assignment, result) == {
        "ready": 2, "reached": 2, "why": None, "hidden": 4}


def test_answers_are_found_by_metadata_or_by_their_first_line() -> None:
    cells = [notebook.Cell("code", "%%answer a yaml\nx: 1"),
             notebook.Cell("code", "y", {"grade_id": "b", "solution": True}),
             notebook.Cell("code", "%%answer a yaml\nx: 2"), notebook.Cell("code", "%%answer other\nz")]
    assert notebook.answers(cells, ["a", "b"]) == {"a": "x: 1", "b": "y"}


def test_hidden_checks_and_all_that_only_they_need_are_left_out() -> None:
    source = """'a, and then b'
import x, y
SECRET, OPEN = 7, 8
class _Only:
    pass
def _both(): return OPEN
def a(): return x, _both()
def b(): return y, _both(), _Only(), SECRET
"""
    alone = release.only(source.replace("SECRET, OPEN = 7, 8", "SECRET = 7\nOPEN = 8"), {"a"})
    assert alone == "import x\nOPEN = 8\n\ndef _both():\n    return OPEN\n\ndef a():\n    return (x, _both())\n"


@pytest.mark.parametrize("assignment", shipped(), ids=lambda a: a.name)
def test_a_kit_says_nothing_of_solutions_and_hidden_checks(assignment: Assignment) -> None:
    text = json.dumps(release.kit(assignment, assignment.variant(), "누구"), ensure_ascii=False)
    hidden = [check for check in assignment.checks if check.hidden]
    names = [word for c in hidden for word in (c.title, f"def {c.id}", f'"id": "{c.id}"')]
    assert [word for word in [*names, notebook.BEGIN] if word in text] == []
    compile(json.loads(text)["source"], "kit", "exec")


def test_cells_that_excel_would_compute_are_shown() -> None:
    assert export.text([["=1+1", "-3", "가"]]) == "'=1+1,'-3,가\r\n"


def test_feedback_escapes_what_students_wrote() -> None:
    check = {"id": "a", "title": "t", "points": 2, "hidden": False, "manual": False, "read": "09-rollouts", "got": 0,
             "message": "<script>alert(1)</script>", "story": [[1.0, "pod", "<b>"]]}
    page = feedback.page({"student": "1", "problem": "", "checks": [check], "score": 0, "points": 2}, "<i>", "제목")
    assert "<script>" not in page and "<b>" not in page and "<i>" not in page


def test_feedback_names_chapters_shows_own_words_and_a_persons_comment() -> None:
    base = {"points": 2, "hidden": False, "read": "09-rollouts", "story": []}
    checks = [base | {"id": "a", "title": "t", "manual": False, "got": 0, "message": "파드가 모자란다."},
              base | {"id": "why", "title": "까닭", "manual": True, "got": 1, "message": "하나만 맞다."},
              base | {"id": "more", "title": "남은 것", "manual": True, "got": None, "message": ""},
              base | {"id": "x", "title": "비밀 검사", "manual": False, "hidden": True, "got": 0,
                      "message": "비밀 까닭"}]
    texts = {"why": "내 생각은 이렇다."}
    result = {"student": "1", "problem": "", "checks": checks, "score": 1, "points": 8, "texts": texts}
    page = feedback.page(result, "김철수", "제목", "https://book.example", {"09-rollouts": "롤아웃"})
    assert '<a href="https://book.example/book/09-rollouts.html">롤아웃</a>' in page
    assert "내 생각은 이렇다." in page and "하나만 맞다." in page and "사람이 채점할 것이 남아 있다" in page
    assert "비밀" not in page and "0 / 2점" in page


def test_a_story_groups_pods_and_never_loses_a_fault() -> None:
    cluster = Cluster(nodes=2, seed=1)
    started = cluster.clock.now()
    client = cluster.client("student")
    spec = {"containers": [{"name": "a", "image": "nginx:1.27"}]}
    for number in range(30):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"p-{number}"}, "spec": spec}
        client.create("pods", pod, namespace="default")
        cluster.advance(5)
        if number == 12:
            cluster.faults.kill_node("node-1", seconds=1)
    lines = story.tell(cluster, started)
    assert len(lines) <= story.MAX_LINES + 3
    assert [line.text for line in lines if line.kind == "fault"] == [
        "고장: 노드가 꺼진다 (node-1)", "고장 되돌림: 노드가 꺼진다 (node-1)"]
    assert [line.kind for line in lines].count("gap") == 1
    for number in range(3):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"q-{number}"}, "spec": spec}
        client.create("pods", pod, namespace="default")
    assert story.tell(cluster, cluster.clock.now())[0].text == "파드 3개(q-0 등): 노드를 기다린다"


def test_likeness_ignores_what_everybody_was_given() -> None:
    given = "apiVersion: v1 kind: Pod metadata: name: x spec: containers: a b c d e f g"
    copied = given + " p1 q2 r3 s4 t5 u6 v7 w8 odd words here now"
    answers = {"a": {"x": copied}, "b": {"x": copied + " z"}, "c": {"x": given}, "d": {"x": given + " i j k l m n o p"}}
    found = similar.pairs(answers, {}, given)
    assert [(p.first, p.second) for p in found] == [("a", "b")]


def respelled(text: str) -> str:
    """Copied Python after a night's work: other variable names, other spacing, comments, a docstring less."""
    for old, new in (("used", "busy"), ("licensed", "owned"), ("pod", "p"), ("node", "n")):
        text = re.sub(rf"\b{old}\b", new, text)
    return text.replace(" - ", "-").replace("    ", "\t") + "\n# my own work\n"


@pytest.mark.parametrize(("name", "answer"), [("04-scheduler-plugin", "plugin"), ("05-controller", "controller")])
def test_a_respelled_copy_of_code_is_found(name: str, answer: str) -> None:
    assignment = find(name)
    values = {who: assignment.variant(b"secret", who) for who in ("a", "b")}
    answers = {"a": assignment.model(values["a"]), "b": {answer: respelled(assignment.model(values["b"])[answer])}}
    given = "\n".join(cell.source for cell in assignment.handout(assignment.variant()))
    found = similar.pairs(answers, values, given, kinds=assignment.answers)
    assert [(pair.first, pair.second) for pair in found] == [("a", "b")]


def test_a_reordered_copy_of_a_manifest_is_found_and_honest_ones_are_not() -> None:
    """All have solved the same task; what nobody was told to write differs, but not between a copy and its source."""
    assignment, practice = find("03-zero-loss-update"), find("03-zero-loss-update").variant()
    values = {who: assignment.variant(b"secret", who) for who in "abcd"}

    def own(who: str, *edits: tuple[str, str]) -> str:
        text = assignment.model(values[who])["web"]
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        return text

    habits = (("periodSeconds: 2", "periodSeconds: 3\n            failureThreshold: 2"), ("seconds: 5", "seconds: 8"),
              ("  replicas:", "  minReadySeconds: 4\n  revisionHistoryLimit: 3\n  replicas:"),
              ("{path: /, port: 80}", "{path: /index.html, port: 80}"))
    copied = yaml.safe_dump_all(reversed(list(yaml.safe_load_all(own("b", *habits)))), indent=4)
    answers = {"a": {"web": own("a", *habits)}, "b": {"web": copied}, "c": {"web": own("c")},
               "d": {"web": own("d", ("periodSeconds: 2", "periodSeconds: 5\n            timeoutSeconds: 2"),
                                ("seconds: 5", "seconds: 10"), ("maxSurge: 1", "maxSurge: 2"),
                                ("  replicas:", "  progressDeadlineSeconds: 100\n  replicas:"))}}
    found = similar.pairs(answers, values, "", kinds=assignment.answers, model=(assignment.model(practice), practice))
    assert [(pair.first, pair.second) for pair in found] == [("a", "b")]


HONEST = {
    "a": """def left(node):
    return int(node.labels.get(f"license/{TOOL}", 0)) - sum(pod.labels.get("uses") == TOOL for pod in node.pods)
def filter(pod, node):
    if pod.labels.get("uses") == TOOL and left(node) <= 0:
        return "no license left"
    return None
def score(pod, node):
    if pod.labels.get("uses") == TOOL:
        return max(0, 100 - 10 * left(node))
    return 0 if f"license/{TOOL}" in node.labels else 100
""",
    "b": """def left(node):
    total = node.labels.get("license/" + TOOL)
    if total is None:
        return 0
    count = 0
    for other in node.pods:
        if "uses" in other.labels and other.labels["uses"] == TOOL:
            count += 1
    return int(total) - count
def filter(pod, node):
    needs = pod.labels.get("uses", "")
    if needs != TOOL:
        return None
    return None if left(node) > 0 else f"{node.name}: all licenses taken"
def score(pod, node):
    free = left(node)
    if pod.labels.get("uses", "") != TOOL:
        if "license/" + TOOL in node.labels:
            return 0
        return 100
    return 100 - min(free, 100)
""",
    "c": """def count(node):
    return len([p for p in node.pods if p.labels.get("uses") == TOOL])
def left(node):
    key = "license/%s" % TOOL
    return int(node.labels[key]) - count(node) if key in node.labels else 0
def filter(pod, node):
    uses = pod.labels.get("uses") == TOOL
    if not uses or left(node) >= 1:
        return
    return "license"
def score(pod, node):
    wants, has = pod.labels.get("uses") == TOOL, "license/%s" % TOOL in node.labels
    if wants:
        return int(100 / (1 + left(node)))
    return 50 * (not has)
""",
}


def test_honest_answers_to_one_task_are_not_flagged() -> None:
    assignment = find("04-scheduler-plugin")
    answers = {who: {"plugin": f'TOOL = "x-{who}"\n{text}'} for who, text in HONEST.items()}
    given = "\n".join(cell.source for cell in assignment.handout(assignment.variant()))
    assert similar.pairs(answers, {}, given, kinds=assignment.answers) == []


def test_a_value_of_anothers_variant_gives_a_copy_away() -> None:
    answers = {"a": {"x": "name: harbor"}, "b": {"x": "name: harbor # mine"}}
    found = similar.pairs(answers, {"a": {"n": "harbor"}, "b": {"n": "museum"}})
    assert found[0].foreign == ("b의 답에 a의 값 harbor",)


@pytest.mark.parametrize(("kind", "version", "resource"), [
    ("Pod", "v1", "pods"), ("Ingress", "networking.k8s.io/v1", "ingresses.networking.k8s.io"),
    ("NetworkPolicy", "networking.k8s.io/v1", "networkpolicies.networking.k8s.io"),
    ("StorageClass", "storage.k8s.io/v1", "storageclasses.storage.k8s.io"), ("Endpoints", "v1", "endpoints")])
def test_resources_of_kinds(kind: str, version: str, resource: str) -> None:
    assert resource_of({"kind": kind, "apiVersion": version}) == resource


def test_the_report_names_the_misconception_behind_the_lost_checks() -> None:
    assignment = find("01-first-manifest")

    def result(lost: set[str]) -> dict[str, Any]:
        rows = [{"id": c.id, "title": c.title, "points": c.points, "manual": False, "hidden": c.hidden,
                 "got": 0 if c.id in lost else c.points, "message": "x" if c.id in lost else ""}
                for c in assignment.checks]
        return {"checks": rows, "score": sum(row["got"] for row in rows)}

    found = {"1": result({"comes_back"}), "2": result({"comes_back"}), "3": result({"found"}), "4": result(set())}
    text = report.text(assignment, found, 5)
    assert "2명  다시 뜨지 않게 했다" in text and "1명  레이블 하나를 빠뜨렸다" in text
    assert "5명 가운데 4명 제출" in text
