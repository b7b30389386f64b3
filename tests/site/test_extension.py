"""The book's own directives, built in a small project: what a reader gets, and what an author is told."""

from __future__ import annotations

import re
import sys

import pytest
from site_pages import ROOT

pytest.importorskip("sphinx")
HEAD = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n# 쪽\n\n"
CELL = "```{code-cell} python3\n:name: one\nprint('하나')\n```\n"


@pytest.fixture
def build(tmp_path, monkeypatch):
    from sphinx.application import Sphinx

    monkeypatch.setattr(sys, "path", [*sys.path, str(ROOT / "book" / "_ext")])

    def make(text: str, others: dict[str, str] | None = None) -> tuple[str, str]:
        """index.html and the warnings; `others`: further documents by name."""
        import io

        source = tmp_path / "src"
        source.mkdir()
        (source / "index.md").write_text(HEAD + text, encoding="utf-8")
        for name, words in (others or {}).items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_text("---\norphan: true\n---\n" + words, encoding="utf-8")
        warnings = io.StringIO()
        overrides = {
            "extensions": ["myst_nb", "minik8s_book"],
            "language": "ko",
            "nb_execution_mode": "off",
            "myst_enable_extensions": ["colon_fence"],
            "nb_ipywidgets_js": {},
        }
        app = Sphinx(
            str(source),
            None,
            str(tmp_path / "out" / "html"),
            str(tmp_path / "trees"),
            "html",
            overrides,
            status=None,
            warning=warnings,
        )
        app.build()
        html = (tmp_path / "out" / "html" / "index.html").read_text(encoding="utf-8")
        told = re.sub(r"\x1b\[[0-9;]*m", "", warnings.getvalue()).splitlines()
        # Several projects in one process, and cells that are not executed here.
        beside = ("already registered", ".lexer]")
        return html, "\n".join(line for line in told if line and not any(words in line for words in beside))

    return make


QUIZ = ":::{quiz} q-one\n물음?\n\n- [ ] 아니\n  > 왜 아닌가\n- [x] 그래\n  > 왜 맞는가\n:::\n"


def test_quiz_hides_answers_in_a_fold(build):
    html, warnings = build(QUIZ)
    assert warnings == ""
    assert 'data-quiz-right="1"' in html
    assert re.search(r'<details class="[^"]*quiz-answers[^"]*">.*왜 아닌가.*왜 맞는가.*</details>', html, re.S)
    assert "[x]" not in html


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (QUIZ.replace("[x]", "[ ]"), "정답이 없다"),
        (QUIZ.replace("  > 왜 맞는가\n", ""), "해설"),
        (QUIZ.replace("[ ] ", ""), r"\[x\]나 \[ \]가 없다"),
        (":::{quiz} q-one\n물음?\n:::\n", "보기 목록이 없다"),
        (":::{quiz} q-one\n:type: order\n물음?\n:::\n", "번호 목록이 없다"),
    ],
)
def test_incomplete_quiz_is_reported(build, broken, told):
    assert re.search(told, build(broken)[1])


def test_order_quiz_is_shuffled_and_solvable(build):
    html, _ = build(":::{quiz} q-order\n:type: order\n물음?\n\n1. 가\n2. 나\n3. 다\n:::\n")
    shown = re.findall(r"<li><p>([가나다])</p>", html[: html.index("quiz-answers")])
    right = [int(number) for number in re.search(r'data-quiz-right="([\d ]+)"', html)[1].split()]
    assert shown != ["가", "나", "다"]
    assert [shown[index] for index in right] == ["가", "나", "다"]


def test_goal_links_to_its_cell_and_check(build):
    html, warnings = build(f":::{{goals}}\n- 할 수 있다 :: one, q-one\n:::\n\n{CELL}\n{QUIZ}")
    assert warnings == ""
    assert 'href="#one"' in html
    assert 'href="#q-one"' in html
    assert re.search(r'<div class="cell[^"]*"[^>]* id="one"', html)


@pytest.mark.parametrize("names", ["", " :: one", " :: q-one", " :: one, nothing"])
def test_goal_without_cell_and_check_is_reported(build, names):
    assert "학습 목표" in build(f":::{{goals}}\n- 할 수 있다{names}\n:::\n\n{CELL}\n{QUIZ}")[1]


def test_solution_with_cells_is_folded(build):
    html, warnings = build(
        ":::{exercise} 문제\n:name: ex-one\n풀자\n:::\n\n"
        f":::{{solution-start}} ex-one\n말\n:::\n\n{CELL}\n:::{{solution-end}}\n:::\n\n끝\n"
    )
    assert warnings == ""
    fold = re.search(r'<details class="fold solution">.*?</details>', html, re.S)[0]
    assert "하나" in fold
    assert "끝" not in fold


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (":::{solution} ex-none\n말\n:::\n", "ex-none"),
        (":::{exercise-start}\n말\n:::\n\n## 절\n\n:::{exercise-end}\n:::\n", "닫히지 않았다"),
    ],
)
def test_stray_solution_or_gate_is_reported(build, broken, told):
    assert told in build(broken)[1]


def test_cell_that_cannot_run_in_the_page_must_say_why(build):
    html, warnings = build("```{code-cell} python3\n:tags: [no-live]\n:why: 소켓이 없다\n1\n```\n")
    assert "소켓이 없다" in html
    assert "why" not in warnings
    assert 'class="live-run"' not in html


def test_cells_carry_their_buttons_without_javascript_showing_them(build):
    html, _ = build(CELL)
    assert 'aria-label="셀 1 실행"' in html
    assert '<div class="live-bar pst-js-only">' in html


def test_misconception_and_predict_read_without_script(build):
    html, warnings = build(
        ":::{misconception} 파드는 옮겨 다닌다\n아니다\n:::\n\n:::{predict}\n몇 초?\n\n```{reveal}\n오 초\n```\n:::\n"
    )
    assert warnings == ""
    assert "흔한 오해: 파드는 옮겨 다닌다" in html
    assert re.search(r"<details[^>]*><summary>확인하기</summary>\s*<p>오 초", html)


def test_a_mentioned_chapter_is_a_link_to_it(build):
    text = "13장에서 본다(`13장`). [13장](book/13-config.md)과 14장, 제3장과 113장은 아니다.\n"
    html, warnings = build(text, {"book/13-config.md": "# 구성\n"})
    assert re.findall(r'href="book/13-config.html"[^>]*>(?:<[^>]*>)*([^<]*)', html) == ["13장", "13장"]
    assert "14장, 제3장과 113장은" in html and warnings == ""
