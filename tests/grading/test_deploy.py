# ruff: noqa: E501
"""What an instructor deploys: the grading Job is accepted by the API, and its shards miss nobody and grade nobody twice."""

from pathlib import Path

import pytest
import yaml

from grading.conftest import hand_in, needs_box
from minik8s.cluster import Cluster
from minik8s.grading import batch
from minik8s.grading.assignment import find
from minik8s.grading.course import Course, CourseError

ROOT = Path(__file__).parents[2]
NAME = "01-first-manifest"


def test_the_grading_job_makes_one_pod_for_each_shard() -> None:
    cluster = Cluster(nodes=4)
    client = cluster.client("teacher")
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "course"},
             "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}}
    job, policy = yaml.safe_load_all((ROOT / "deploy/jupyterhub/grade-job.yaml").read_text(encoding="utf-8"))
    for resource, body in (("persistentvolumeclaims", claim), ("jobs.batch", job), ("networkpolicies.networking.k8s.io", policy)):
        client.patch(resource, "default", body["metadata"]["name"], body, type="apply", force=True)
    cluster.settle()
    pods = client.list("pods", "default", label_selector="app=grade")
    indexes = {pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"] for pod in pods}
    assert indexes == {"0", "1", "2", "3"}
    assert f"/{job['spec']['completions']}" in job["spec"]["template"]["spec"]["containers"][0]["command"][-1]


def test_shards_share_a_class_without_gaps_or_overlap() -> None:
    students = [f"2026{n:03d}" for n in range(300)]
    shares = [batch._share(student, 4) for student in students]
    assert set(shares) == {0, 1, 2, 3} and min(shares.count(k) for k in range(4)) > 40
    assert batch.shard("3/16") == (3, 16)
    for wrong in ("4/4", "1", "a/b", "-1/2", "0/0"):
        with pytest.raises(CourseError, match="shard"):
            batch.shard(wrong)


@needs_box
def test_all_shards_together_grade_everybody_once(course: Course) -> None:
    for who in ("2026001", "2026002", "2026003"):
        hand_in(course, NAME, who, {"pod": "a: 1"})
    counts = [batch.grade(course, find(NAME), part=(k, 2))["graded"] for k in range(2)]
    assert sum(counts) == 3 and len(batch.results(course, find(NAME))) == 3


@pytest.mark.parametrize("size", [30, 100, 1000])
def test_the_values_of_a_class_hold_together(size: int) -> None:
    values = yaml.safe_load((ROOT / f"deploy/jupyterhub/values-{size}.yaml").read_text(encoding="utf-8"))
    user = values["singleuser"]
    assert user["networkPolicy"]["enabled"] and user["networkPolicy"]["egressAllowRules"]["privateIPs"] is False
    assert user["cloudMetadata"]["blockWithIptables"] and values["cull"]["enabled"]
    assert 0 < user["cpu"]["guarantee"] < user["cpu"]["limit"]
    assert values["scheduling"]["userPlaceholder"]["replicas"] >= size * 0.05
    assert values["scheduling"]["podPriority"]["enabled"] and values["prePuller"]["hook"]["enabled"]
