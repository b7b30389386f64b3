"""The Python of the page, run here: magics, rich output, errors and completion as IPython does them."""

from __future__ import annotations

import sys

import pytest
from site_pages import ROOT

sys.path.insert(0, str(ROOT / "book" / "_ext" / "live"))


def finish(work):
    """Drive a coroutine to its end without an event loop: the browser tests of this process have one already."""
    while True:
        try:
            work.send(None)
        except StopIteration:
            return


@pytest.fixture
def page(monkeypatch, tmp_path):
    pretty = pytest.importorskip("IPython.lib.pretty")
    kept = dict(sys.modules)
    monkeypatch.setitem(sys.modules, "book_pretty", pretty)
    stdout, stderr, read = sys.stdout, sys.stderr, __builtins__["input"]
    import book_runtime

    shown: list[tuple] = []
    runtime = book_runtime.Runtime(lambda kind, content: shown.append((kind, *content)))

    class Page:
        def run(self, source: str) -> list[tuple]:
            shown.clear()
            try:
                finish(runtime.run("1", source))
            finally:
                sys.stdout, sys.stderr = stdout, stderr
            return list(shown)

        complete = staticmethod(runtime.complete)
        shell = runtime.shell

    yield Page()
    __builtins__["input"] = read
    for name in [*(name for name in sys.modules if name.startswith("IPython")), "__main__"]:
        sys.modules.pop(name, None)
        if name in kept:
            sys.modules[name] = kept[name]


def plain(shown):
    return [item[1]["text/plain"] for item in shown if item[0] == "display"]


def test_last_value_is_shown_and_kept(page):
    assert plain(page.run("1 + 1")) == ["2"]
    assert plain(page.run("_ * 21")) == ["42"]
    assert page.run("x = 1") == []
    assert page.run("3;") == []
    assert page.run("None") == []


def test_long_values_wrap_as_in_ipython(page):
    from IPython.lib.pretty import pretty

    value = {"names": ["abcdefghij" * 2] * 5, "n": list(range(40))}
    assert plain(page.run(f"{value!r}")) == [pretty(value, max_width=79)]


def test_output_keeps_its_order(page):
    shown = page.run("print('가')\ndisplay(1)\nprint('나')\n2")
    assert [item[0] for item in shown] == ["stream", "display", "stream", "display"]
    assert shown[0][1:] == ("stdout", "가\n")


def test_rich_representations(page):
    shown = page.run(
        "class V:\n    def _repr_html_(self): return '<b>1</b>'\n"
        "    def _repr_svg_(self): return '<svg/>'\n    def __repr__(self): return 'V'\nV()"
    )
    assert shown[0][1] == {"text/plain": "V", "text/html": "<b>1</b>", "image/svg+xml": "<svg/>"}
    assert page.run("from IPython.display import HTML\nHTML('<i>x</i>')")[0][1]["text/html"] == "<i>x</i>"


def test_magics_reach_registered_functions(page):
    page.shell.register_magic_function(lambda line, cell=None: (line, cell), "line_cell", "kubectl")
    assert plain(page.run("%kubectl get pods -o wide")) == ["('get pods -o wide', None)"]
    assert plain(page.run("x = %kubectl get\nx[0]")) == ["'get'"]
    assert plain(page.run("%%kubectl apply -f -\na: 1\n")) == ["('apply -f -', 'a: 1\\n')"]
    assert plain(page.run("for i in [1]:\n    %kubectl x\n'''\n%kubectl y\n'''")) == ["'\\n%kubectl y\\n'"]
    assert page.run("%nothing")[-1][0] == "error"
    assert plain(page.run("7 % 4")) == ["3"]


def test_errors_show_the_readers_own_lines(page):
    text = page.run("def f():\n    return 1 / 0\n\nf()")[-1][1]
    assert text.splitlines() == [
        "Traceback (most recent call last):",
        "  셀 4번째 줄: f()",
        "  셀 2번째 줄, f(): return 1 / 0",
        "ZeroDivisionError: division by zero",
    ]
    assert page.run("1 +")[-1][1].endswith("SyntaxError: invalid syntax")
    assert "input()" in page.run("input()")[-1][1]


def test_await_works_at_the_top_level(page):
    assert plain(page.run("import asyncio\nawait asyncio.sleep(0, 'ok')")) == ["'ok'"]


def test_completion_never_calls(page):
    page.run("class T:\n    @property\n    def loud(self): raise RuntimeError\nthing = T()\nword = 'a'")
    assert page.complete("wor") == ["word"]
    assert "upper" in page.complete("word.up")
    assert page.complete("thing.l") == ["loud"]
    assert page.complete("nothing.x") == []


def test_completion_of_a_magic_asks_who_registered_it(page):
    page.shell.register_completer("kubectl", lambda line: [f"<{line}>"])
    assert page.complete("%kubectl get po") == ["<get po>"]
    assert page.complete("%other x") == []


def test_what_registered_is_called_after_every_cell(page):
    page.run("seen = []\nget_ipython().events.register('post_run_cell', lambda _: seen.append(1))")
    page.run("1 / 0")
    assert plain(page.run("seen")) == ["[1, 1]"]


def test_display_can_be_updated(page):
    shown = page.run("h = display(1, display_id=True)\nh.update(2)")
    assert [(item[0], item[1]["text/plain"]) for item in shown] == [("display", "1"), ("update", "2")]
    assert shown[0][2] == shown[1][2] != ""
