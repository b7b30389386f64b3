"""`kubectl logs deploy/…`와 `exec deploy/…`는 일하는 파드를 고르고, `create job --from`은 크론잡의 틀을 쓴다."""

import pytest

from minik8s import lab


@pytest.fixture
def k():
    k = lab.connect(nodes=1)
    k.apply("manifests/web.yaml")
    k.wait("deployment/web")
    return k


def test_a_workload_stands_for_a_pod_that_works(k):
    k.kubectl("set image deployment/web web=nginx:9.99")
    k.sleep(30)
    assert k.kubectl("exec deployment/web -- hostname").code == 0
    assert k.kubectl("logs deployment/web").code == 0


def test_raw_text_is_printed_as_it_is(k):
    assert k.kubectl("get --raw /readyz").stdout.startswith("ok")


def test_a_job_by_hand_is_what_the_cronjob_would_make(k):
    k.kubectl(["create", "cronjob", "tick", "--image=busybox:1.36", "--schedule=0 0 1 1 *", "--", "true"])
    assert k.kubectl("create job now --from=cronjob/tick").stdout == "job.batch/now created\n"
    job = k.wait("job/now", "complete")
    assert job["metadata"]["annotations"]["cronjob.kubernetes.io/instantiate"] == "manual"
    assert job["metadata"]["ownerReferences"][0]["kind"] == "CronJob"


def test_variables_come_from_a_secret(k):
    k.kubectl("create secret generic db --from-literal=db-password=x")
    done = k.kubectl("set env deployment/web --from=secret/db --prefix=APP_")
    assert done.stdout == "deployment.apps/web env updated\n"
    env = k.get("deployment/web")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert env == [{"name": "APP_DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "db-password"}}}]


def test_drain_asks_for_all_pods_before_it_waits_for_any():
    k = lab.connect(nodes=2)
    k.kubectl("create deployment web --image=nginx --replicas=4")
    k.wait("deployment/web")
    node = k.pods("app=web")[0]["spec"]["nodeName"]
    there = [p["metadata"]["name"] for p in k.pods("app=web") if p["spec"]["nodeName"] == node]
    assert len(there) > 1
    lines = k.kubectl(f"drain {node}").stdout.splitlines()
    asked = [i for i, line in enumerate(lines) if line.startswith("evicting pod")]
    done = [i for i, line in enumerate(lines) if line.endswith(" evicted")]
    assert len(asked) == len(done) == len(there) and max(asked) < min(done)
