"""교실용 kind 클러스터를 띄우고 치운다: 노드 셋, 미리 넣은 이미지, 레지스트리 미러, 자원 상한.

돌리는 명령을 모두 출력한다."""

from __future__ import annotations

import argparse

import yaml

from minik8s.edge import images, plan

HELP = "교실용 kind 클러스터를 띄우고 치운다"
REGISTRIES = ("docker.io", "registry.k8s.io")


def arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("action", choices=["up", "down"], help="up 띄우기 | down 치우기")
    add("--name", default="minik8s", help="클러스터의 이름(기본 minik8s). 컨텍스트는 kind-이름이다")
    add("--nodes", type=int, default=3, metavar="N", help="컨트롤 플레인을 더한 노드 수(기본 3)")
    add("--image", metavar="IMAGE", help="노드 이미지. 예: kindest/node:v1.36.1(기본: kind가 고른다)")
    add("--mirror", metavar="URL", help="레지스트리 미러의 주소. 예: http://192.168.0.10:5000")
    add("--cpus", default="2", help="노드마다 쓸 CPU의 상한(기본 2)")
    add("--memory", default="2g", help="노드마다 쓸 메모리의 상한(기본 2g)")
    add("--no-images", action="store_true", help="실습 이미지를 미리 넣지 않는다")
    add("--dry-run", action="store_true", help="명령을 보여 주기만 한다")


def run(arguments: argparse.Namespace) -> int:
    steps = up(arguments, plan.engine()) if arguments.action == "up" else down(arguments.name)
    code = plan.run(steps, dry=arguments.dry_run)
    if not code and arguments.action == "up" and not arguments.dry_run:
        print(f"\n이제 노트북을 이 클러스터에 이으려면: export MINIK8S_CONTEXT=kind-{arguments.name}")
    return code


def up(wanted: argparse.Namespace, engine: str) -> list[plan.Step]:
    """The commands that make the cluster."""
    create = ["kind", "create", "cluster", "--name", wanted.name, "--wait", "180s", "--config", "-"]
    if wanted.image:
        create[3:3] = ["--image", wanted.image]
    steps = [plan.Step(tuple(create), config(wanted.nodes, mirror=bool(wanted.mirror)))]
    for node in node_names(wanted.name, wanted.nodes):
        caps = ("--cpus", wanted.cpus, "--memory", wanted.memory, "--memory-swap", wanted.memory)
        steps.append(plan.Step((engine, "update", *caps, node)))
        if wanted.mirror:
            steps += [_mirror(engine, node, registry, wanted.mirror) for registry in REGISTRIES]
    if not wanted.no_images:
        found = images.listed()
        steps += [*images.pull(engine, found), *images.into_kind(wanted.name, found)]
    return steps


def down(name: str) -> list[plan.Step]:
    return [plan.Step(("kind", "delete", "cluster", "--name", name))]


def config(nodes: int, *, mirror: bool) -> str:
    """kind's configuration: one control plane, the others workers."""
    roles = [{"role": "control-plane"}, *({"role": "worker"} for _ in range(max(0, nodes - 1)))]
    made: dict[str, object] = {"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "nodes": roles}
    if mirror:  # where containerd 1.x and 2.x look for hosts.toml files
        old = '[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "/etc/containerd/certs.d"\n'
        new = '[plugins."io.containerd.cri.v1.images".registry]\n  config_path = "/etc/containerd/certs.d"\n'
        made["containerdConfigPatches"] = [old, new]
    return yaml.safe_dump(made, sort_keys=False)


def node_names(cluster: str, nodes: int) -> list[str]:
    """The containers, as kind names them: minik8s-control-plane, minik8s-worker, minik8s-worker2, ..."""
    workers = [f"{cluster}-worker{i if i > 1 else ''}" for i in range(1, nodes)]
    return [f"{cluster}-control-plane", *workers]


def _mirror(engine: str, node: str, registry: str, url: str) -> plan.Step:
    folder = f"/etc/containerd/certs.d/{registry}"
    text = f'[host."{url}"]\n  capabilities = ["pull", "resolve"]\n'
    return plan.Step((engine, "exec", "-i", node, "sh", "-c", f"mkdir -p {folder} && cat > {folder}/hosts.toml"), text)
