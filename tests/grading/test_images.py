"""The two images of a class: what their Dockerfile copies is enough to install and to run, and the grading Job ends."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from minik8s.cluster import Cluster

ROOT = Path(__file__).parents[2]
HUB = ROOT / "deploy" / "jupyterhub"
STAGES = dict(re.findall(r"^FROM \S+ AS (\w+)\n(.*?)(?=^FROM |\Z)", (HUB / "Dockerfile").read_text(), re.M | re.S))


def copied(stage: str, root: Path) -> Path:
    """The stage's COPY lines done below `root`."""
    for line in re.findall(r"^COPY (?:--\S+ )*(.+)$", STAGES[stage], re.M):
        *sources, target = line.split()
        place = root / target.lstrip("/")
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, place)
    return root


def ran(*command: str | Path, cwd: Path, path: Path) -> str:
    env = {**os.environ, "PYTHONPATH": str(path), "HOME": str(cwd), "PYTHONUTF8": "1"}
    done = subprocess.run([*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_students_image_has_the_package_with_its_manifests_and_the_labs(tmp_path: Path) -> None:
    root = copied("student", tmp_path / "root")
    wheels, installed = tmp_path / "wheels", tmp_path / "installed"
    ran(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", wheels, root / "opt" / "minik8s",
        cwd=tmp_path, path=tmp_path)  # fmt: skip
    shutil.unpack_archive(next(wheels.glob("*.whl")), installed, "zip")
    labs = root / "home" / "jovyan" / "labs"
    assert len(list(labs.glob("*.md"))) > 30
    code = "import minik8s; from minik8s import lab; k = lab.connect(); k.apply('manifests/web.yaml'); " \
           "k.wait('deployment/web'); print(minik8s.__file__, len(k.pods()))"  # fmt: skip
    where, pods = ran(sys.executable, "-c", code, cwd=labs, path=installed).split()
    assert where.startswith(str(installed)) and int(pods) > 0


def test_the_graders_image_has_the_classroom_with_all_assignments(tmp_path: Path) -> None:
    labs = copied("grader", tmp_path / "root") / "opt" / "minik8s" / "labs"
    assert "bubblewrap" in STAGES["grader"]
    init = ("class", "init", "--course", "course", "--name", "시험")
    ran(sys.executable, "-m", "minik8s", *init, cwd=tmp_path, path=labs)
    code = "from minik8s.grading.assignment import shipped; print(*[a.folder for a in shipped()], sep='\\n')"
    folders = ran(sys.executable, "-c", code, cwd=tmp_path, path=labs).splitlines()
    assert len(folders) >= 12 and all(folder.startswith(str(labs)) for folder in folders)


@pytest.mark.parametrize("fault", [False, True])
def test_the_grading_job_ends_when_every_shard_has(fault: bool) -> None:
    cluster = Cluster(nodes=4)
    client = cluster.client("teacher")
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "course"},
             "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}}  # fmt: skip
    client.create("persistentvolumeclaims", {**claim, "metadata": {"name": "course", "namespace": "default"}})
    job = next(yaml.safe_load_all((HUB / "grade-job.yaml").read_text(encoding="utf-8")))
    template = job["spec"]["template"]
    template["spec"]["containers"][0]["image"] = "busybox:1.37"  # instead of a registry's that this cluster cannot know
    template["spec"]["containers"][0]["command"] = ["sh", "-c", "sleep 90"]
    client.create("jobs.batch", {**job, "metadata": {**job["metadata"], "namespace": "default"}})
    cluster.advance(60)
    if fault:
        lost = client.list("pods", "default", label_selector="app=grade")[0]
        client.delete("pods", "default", lost["metadata"]["name"])
    cluster.advance(240)
    status = client.get("jobs.batch", "default", "grade")["status"]
    assert (status["succeeded"], status["completedIndexes"]) == (4, "0-3")
    assert [c["type"] for c in status["conditions"] if c["status"] == "True"] == ["SuccessCriteriaMet", "Complete"]
    cluster.advance(86_400)
    assert not client.list("jobs.batch", "default")
