"""`-o go-template`: the part of text/template that people type (tests/labs holds it to the real one)."""

import pytest

from minik8s.lab.kubectl.gotemplate import render

POD = {"metadata": {"name": "web", "labels": {"app": "web"}}, "spec": {"containers": [{"name": "a"}, {"name": "b"}]}}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.metadata.name}}", "web"),
        ("{{.metadata.nothing}}", "<no value>"),
        ("{{range .spec.containers}}{{.name}},{{end}}", "a,b,"),
        ("{{range $i, $c := .spec.containers}}{{$i}}{{$c.name}}{{end}}", "0a1b"),
        ("{{range .spec.volumes}}x{{else}}none{{end}}", "none"),
        ('{{if eq .metadata.name "db" "web"}}yes{{else}}no{{end}}', "yes"),
        ("{{if .a}}1{{else if .metadata}}2{{else}}3{{end}}", "2"),
        ("{{with .metadata}}{{.name}} {{$.spec.containers | len}}{{end}}", "web 2"),
        ('{{index .metadata.labels "app"}} {{(index .spec.containers 1).name}}', "web b"),
        ('{{$x := .metadata.name}}{{printf "%-5s|%q" $x $x}}', 'web  |"web"'),
        ("a {{- .metadata.name -}} b", "awebb"),
        ("{{/* nothing */}}{{.metadata.labels}}", "map[app:web]"),
    ],
)
def test_render(template, text):
    assert render(template, POD) == text


MISTAKES = ["{{.a", "{{range .spec}}", "{{end}}", "{{nosuch .a}}", "{{$x}}", "{{.metadata.name.x}}"]


@pytest.mark.parametrize("template", MISTAKES)
def test_mistakes_are_value_errors(template):
    with pytest.raises(ValueError, match="template"):
        render(template, POD)
