"""The term and style lint, over the whole Korean text and over its own cases."""

from __future__ import annotations

import pytest
import site_pages  # noqa: F401  (puts tools/ on the path)
import site_terms


def found(tmp_path, text, name="page.md"):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return [problem.text for problem in site_terms.check([file])]


def test_the_book_and_the_labs_follow_the_term_list():
    problems = site_terms.check([*site_terms.pages(), *site_terms.sources()])
    assert [str(problem) for problem in problems] == []


@pytest.mark.parametrize(
    "wrong", ["포드가", "디렉토리", "마스터 노드", "라벨을", "카나리아 배포", "스케쥴러", "네임 스페이스"]
)
def test_wrong_spelling_is_found(tmp_path, wrong):
    assert found(tmp_path, f"이것은 {wrong} 글이다.\n")


@pytest.mark.parametrize("ending", ["만듭니다.", "합니까?", "보세요.", "했어요."])
def test_polite_ending_is_found(tmp_path, ending):
    assert found(tmp_path, f"이렇게 {ending}\n")


@pytest.mark.parametrize(
    "fine",
    [
        "“이렇게 합니다.”라고 했다.",
        "코드 `포드`는 본다.",
        "아니다. 지니다.",
        "```text\n포드입니다\n```",
        "톨러레이션과 캠포드랜드",
    ],
)
def test_quotes_code_and_plain_style_pass(tmp_path, fine):
    assert found(tmp_path, fine + "\n") == []


def test_prose_inside_directives_is_read(tmp_path):
    assert found(tmp_path, "```{note}\n디렉토리다.\n```\n")
    assert found(tmp_path, ":::{predict}\n디렉토리다.\n:::\n")


def test_strings_of_programs_are_read(tmp_path):
    assert found(tmp_path, 'say("포드가 없다")\n', "a.py") == ["포드 → 파드"]
