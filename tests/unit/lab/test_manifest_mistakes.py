"""What beginners write wrong in a `%%manifest` cell, and where and how they are told."""

import pytest

from minik8s import lab
from minik8s.lab import magics

GOOD = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: nginx:1.27
          ports:
            - containerPort: 80
"""
SERVICE = """apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports:
    - port: 80
"""
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  key: "
PORTS = "          ports:"


def web(old, new):
    assert GOOD.count(old) >= 1
    return GOOD.replace(old, new, 1)


MISTAKES = {
    "a tab": (web("  replicas", "\treplicas"), 6, "탭"),
    "too little indentation": (web("  replicas", " replicas"), 7, "들여쓰기가 앞 줄(빈칸 1개)"),
    "too much indentation": (web("  replicas", "    replicas"), 7, "들여쓰기가 앞 줄(빈칸 4개)"),
    "name beside metadata": (web("  name: web", "name: web"), 3, "metadata가 비어 있다"),
    "replica": (web("replicas", "replica"), 6, "`spec.replicas`"),
    "matchlabels": (web("matchLabels", "matchlabels"), 8, "`spec.selector.matchLabels`"),
    "a string for an int": (web("replicas: 3", 'replicas: "3"'), 6, "정수가 와야 하는데 글이 왔다. 따옴표를 빼자: `3`"),
    "a word for an int": (web("replicas: 3", "replicas: three"), 6, "정수가 와야 하는데 글이 왔다"),
    "no selector": (web("  selector:\n    matchLabels:\n      app: web\n", ""), 5, "`spec.selector`"),
    "selector and labels differ": (web("        app: web\n", "        app: shop\n"), 12, "셀렉터의 레이블이"),
    "apiVersion of another group": (web("apps/v1", "v1"), 1, "`apps/v1`이다"),
    "apiVersion of long ago": (web("apps/v1", "extensions/v1beta1"), 1, "`apps/v1`이다"),
    "a kind misspelt": (web("kind: Deployment", "kind: Deploymnet"), 2, "`Deployment`을(를) 쓰려던"),
    "a kind in small letters": (web("kind: Deployment", "kind: deployment"), 2, "대소문자도"),
    "no kind": (web("kind: Deployment\n", ""), 1, "kind 줄이 없다"),
    "no apiVersion": (web("apiVersion: apps/v1\n", ""), 1, "`apiVersion: apps/v1`"),
    "no name": (web("  name: web\n", "  labels: {a: b}\n"), 3, "`metadata.name`: 꼭 있어야"),
    "a bad name": (web("  name: web\n", "  name: Web_App\n"), 4, "영어 소문자"),
    "a key twice": (web("  replicas: 3", "  replicas: 3\n  replicas: 4"), 7, "6번째 줄에 이미 썼다"),
    "two containers of one name": (
        web("          ports:\n            - containerPort: 80\n", "        - name: web\n          image: redis\n"),
        18,
        "겹치면 안 되는",
    ),
    "an object twice": (f"{SERVICE}---\n{SERVICE}", 9, "1번째 줄의 Service와 이름이 같다"),
    "a bad quantity": (web(PORTS, f"          resources: {{requests: {{cpu: 100x}}}}\n{PORTS}"), 18, "`100x`는 양이"),
    "MB for Mi": (web(PORTS, f"          resources: {{limits: {{memory: 64MB}}}}\n{PORTS}"), 18, "`64Mi`"),
    "a bad label": (web("        app: web\n    spec", "        app: my web!\n    spec"), 12, "레이블 값은"),
    "two documents without ---": (GOOD + SERVICE, 20, "`---`"),
    "a bool for a string": (web(PORTS, f"          env: [{{name: D, value: true}}]\n{PORTS}"), 18, '`"true"`'),
    "a number for a string": (web(PORTS, f"          env: [{{name: D, value: 80}}]\n{PORTS}"), 18, '`"80"`'),
    "yes as a label": (web("        app: web\n    spec", "        app: yes\n    spec"), 13, '`"yes"`'),
    "a dash forgotten": (web("        - name: web", "          name: web"), 16, "`- `"),
    "a dash without a space": (web("- name: web", "-name: web"), 16, "`-` 뒤에 빈칸"),
    "a colon without a space": (web("replicas: 3", "replicas:3"), 6, "콜론 뒤에 빈칸"),
    "two colons": (web("nginx:1.27", "nginx: 1.27"), 17, "두 번 있다"),
    "no image": (web("          image: nginx:1.27\n", ""), 16, "image`: 꼭 있어야"),
    "a port too high": (web("Port: 80", "Port: 80000"), 19, "범위를 벗어난"),
    "numbers for ports": (web("containerPort: 80", "80"), 19, "키와 값이 와야 하는데 수가 왔다"),
    "in the second document": (f"{SERVICE}---\n{web('replicas', 'replica')}", 14, "`spec.replicas`"),
    "a word for a port": (SERVICE.replace("80", "eighty"), 7, "정수가 와야"),
    "a value in small letters": (SERVICE.replace("spec:", "spec:\n  type: nodeport"), 5, '"NodePort"'),
    "a quote not closed": (web("name: web\nspec", 'name: "web\nspec'), 4, "따옴표를 열고"),
    "a brace not closed": (SERVICE.replace("{app: web}", "{app: web"), 5, "중괄호나 대괄호"),
    "a star": (f"{CONFIG}*.txt\n", 5, "따옴표로 감싸자"),
    "an at": (f"{CONFIG}@me\n", 5, "따옴표로 감싸자"),
    "a number in a ConfigMap": (f"{CONFIG}80\n", 5, '`"80"`'),
    "plain text in a Secret": (CONFIG.replace("ConfigMap", "Secret") + "hunter2!\n", 4, "`stringData`"),
    "a namespace not there": (web("  name: web\n", "  name: web\n  namespace: gone\n"), 5, "create namespace"),
    "a field of the spec at the top": (SERVICE.replace("spec:", "type: ClusterIP\nspec:"), 4, "들여쓰기"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_told_at_the_line_with_what_to_do(name, capsys):
    text, line, words = MISTAKES[name]
    k = lab.connect(nodes=1)
    magics.manifest("", text)
    out = capsys.readouterr().out
    shown = text.splitlines()[line - 1].replace("\t", "→")
    assert f"- {line}번째 줄: " in out and words in out, out
    assert f"{line:>4} | {shown}\n" in out, out
    assert k.find("deployment/web") is None


def test_what_cannot_be_read_leaves_nothing_applied(capsys):
    k = lab.connect(nodes=1)
    magics.manifest("", f"{SERVICE}---\n{web('replicas: 3', 'replicas:3')}")
    assert "보내지 않았다" in capsys.readouterr().out
    assert k.find("service/web") is None


def test_an_empty_cell_and_a_good_one(capsys):
    lab.connect(nodes=1)
    magics.manifest("", "\n# nothing\n")
    assert "비어 있다" in capsys.readouterr().out
    magics.manifest("", f"---\n{GOOD}---\n{SERVICE}")
    assert capsys.readouterr().out == "deployments.apps/web 적용\nservices/web 적용\n"
