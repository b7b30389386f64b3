import pytest

from minik8s import lab
from minik8s.lab import magics

WRONG_FIELD = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replica: 3
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: nginx:1.27
"""


@pytest.fixture
def k():
    return lab.connect(nodes=1)


def manifest(text, capsys):
    magics.manifest("", text)
    return capsys.readouterr().out


def test_a_good_manifest_says_what_was_applied(k, capsys):
    assert manifest(WRONG_FIELD.replace("replica:", "replicas:"), capsys) == "deployments.apps/web 적용\n"


def test_an_unknown_field_is_told_at_its_line_with_the_nearest_name(k, capsys):
    out = manifest(WRONG_FIELD, capsys)
    assert "6번째 줄" in out and "replica: 3" in out and "`spec.replicas`" in out
    assert k.find("deployment/web") is None


def test_a_value_against_the_rules_is_told_at_its_line(k, capsys):
    out = manifest(WRONG_FIELD.replace("replica:", "replicas:").replace("name: web\nspec", "name: Web_1\nspec"), capsys)
    assert "4번째 줄" in out and "name: Web_1" in out


def test_kubectl_lines_may_be_filtered(k, capsys):
    magics.kubectl_line("get namespaces | grep kube- | sort -r | head -1")
    assert capsys.readouterr().out.startswith("kube-system")
    magics.kubectl_line('get ns -o jsonpath="{.items[*].metadata.name}"')
    assert "default" in capsys.readouterr().out


def test_a_kubectl_cell_runs_line_by_line(k, capsys):
    magics.kubectl_line("", "create ns one\n# a comment\ncreate ns two \\\n  --dry-run=client\n")
    assert capsys.readouterr().out == "namespace/one created\nnamespace/two created (dry run)\n"


def test_a_pipe_that_is_not_there_is_told_in_korean(k, capsys):
    magics.kubectl_line("get pods | jq .")
    assert "쓸 수 없다" in capsys.readouterr().out
    magics.kubectl_line("get pods > pods.txt")
    assert "파일로 보내기" in capsys.readouterr().out
