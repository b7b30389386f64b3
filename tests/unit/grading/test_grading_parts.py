"""Variants, notebooks, exports and likeness, one by one."""

import json
import re
import unicodedata

import pytest

from minik8s.grading import export, feedback, gradebook, notebook, release, similar, variants
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


def test_likeness_ignores_what_everybody_was_given() -> None:
    given = "apiVersion: v1 kind: Pod metadata: name: x spec: containers: a b c d e f g"
    copied = given + " p1 q2 r3 s4 t5 u6 v7 w8 odd words here now"
    answers = {"a": {"x": copied}, "b": {"x": copied + " z"}, "c": {"x": given}, "d": {"x": given + " i j k l m n o p"}}
    found = similar.pairs(answers, {}, given)
    assert [(p.first, p.second) for p in found] == [("a", "b")]


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
