"""Korean explanations for learners."""

from __future__ import annotations

import pytest

from minik8s.objects.kinds import BUILTIN
from minik8s.objects.suggest import explain, explain_status, explain_strict, nearest_field
from minik8s.objects.validation.field import invalid, invalid_status, not_supported, required


@pytest.mark.parametrize(("word", "path", "found"), [
    ("deploy", "spec.replica", "spec.replicas"),
    ("pods", "spec.containers[0].img", "spec.containers[0].image"),
    ("pods", "spec.containers[0].imagePullPolcy", "spec.containers[0].imagePullPolicy"),
    ("pods", "spec.Containers", "spec.containers"),
    ("svc", "spec.ports[0].targetport", "spec.ports[0].targetPort"),
    ("pods", "spec.zzz", None)])
def test_the_nearest_field(word: str, path: str, found: str | None) -> None:
    kind = BUILTIN.find(word)
    assert kind is not None
    assert nearest_field(kind, path) == found


def test_strict_messages_name_the_field_that_was_meant() -> None:
    kind = BUILTIN.find("deploy")
    assert kind is not None
    assert "`spec.replicas`" in explain_strict(kind, 'unknown field "spec.replica"')
    assert "두 번" in explain_strict(kind, 'duplicate field "spec"')


def test_each_kind_of_error_says_where_what_and_what_to_do() -> None:
    assert explain(required("spec.containers")) == (
        "`spec.containers`: 꼭 있어야 하는 값이 비어 있다. 이 필드를 채운다.")
    assert '쓸 수 있는 값: "Always", "Never"' in explain(not_supported("spec.x", "always", ("Always", "Never")))
    assert "셀렉터" in explain(invalid("spec.template.metadata.labels",
                                    None, "`selector` does not match template `labels`"))


def test_a_status_is_explained_cause_by_cause_without_repeats() -> None:
    errors = [required("a"), required("a"), required("b")]
    assert len(explain_status(invalid_status("Pod", "", "x", errors))) == 2
