"""Variants, notebooks, exports and likeness, one by one."""

import json
import unicodedata

import pytest

from minik8s.grading import export, feedback, notebook, release, similar, variants
from minik8s.grading.assignment import find
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


def test_answers_are_found_by_metadata_or_by_their_first_line() -> None:
    cells = [notebook.Cell("code", "%%answer a yaml\nx: 1"),
             notebook.Cell("code", "y", {"grade_id": "b", "solution": True}),
             notebook.Cell("code", "%%answer a yaml\nx: 2"), notebook.Cell("code", "%%answer other\nz")]
    assert notebook.answers(cells, ["a", "b"]) == {"a": "x: 1", "b": "y"}


def test_hidden_checks_and_their_helpers_are_left_out() -> None:
    source = "import x\ndef _only():\n  pass\ndef _both():\n  pass\ndef a():\n  _both()\ndef b():\n  _both(); _only()\n"
    assert release.without(source, {"b"}) == "import x\n\ndef _both():\n    pass\n\ndef a():\n    _both()\n"


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
