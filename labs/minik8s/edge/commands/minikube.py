"""교실용 minikube 클러스터를 띄우고 치운다: 노드 셋, 미리 넣은 이미지, 레지스트리 미러, 자원 상한.

돌리는 명령을 모두 출력한다."""

from __future__ import annotations

import argparse

from minik8s.edge import images, plan

HELP = "교실용 minikube 클러스터를 띄우고 치운다"
PROFILE = "minikube-minik8s"
"""A profile of its own: `down` must never delete a cluster that the user had before."""


def arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("action", choices=["up", "down"], help="up 띄우기 | down 치우기")
    add("--nodes", type=int, default=3, metavar="N", help="노드 수(기본 3)")
    add("--kubernetes", metavar="VERSION", help="쿠버네티스 판. 예: v1.36.0(기본: minikube가 고른다)")
    add("--driver", metavar="NAME", help="docker, podman, qemu2 따위(기본: minikube가 고른다)")
    add("--mirror", metavar="URL", help="도커 허브 미러의 주소")
    add("--cpus", default="2", help="노드마다 쓸 CPU의 상한(기본 2)")
    add("--memory", default="2g", help="노드마다 쓸 메모리의 상한(기본 2g)")
    add("--no-images", action="store_true", help="실습 이미지를 미리 넣지 않는다")
    add("--dry-run", action="store_true", help="명령을 보여 주기만 한다")


def run(arguments: argparse.Namespace) -> int:
    steps = up(arguments, plan.engine()) if arguments.action == "up" else down()
    code = plan.run(steps, dry=arguments.dry_run)
    if not code and arguments.action == "up" and not arguments.dry_run:
        print(f"\n이제 노트북을 이 클러스터에 이으려면: export MINIK8S_CONTEXT={PROFILE}")
    return code


def up(wanted: argparse.Namespace, engine: str) -> list[plan.Step]:
    """The commands that make the cluster. The user's current context stays what it is."""
    start = ["minikube", "start", "-p", PROFILE, "--keep-context", "--nodes", str(wanted.nodes)]
    start += ["--cpus", wanted.cpus, "--memory", wanted.memory]
    for flag, value in (
        ("--kubernetes-version", wanted.kubernetes),
        ("--driver", wanted.driver),
        ("--registry-mirror", wanted.mirror),
    ):
        if value:
            start += [flag, value]
    steps = [
        plan.Step(tuple(start)),
        plan.Step(("minikube", "-p", PROFILE, "addons", "enable", "metrics-server"), needed=False),
    ]
    if not wanted.no_images:
        found = images.listed()
        steps += [*images.pull(engine, found), *images.into_minikube(PROFILE, found)]
    return steps


def down() -> list[plan.Step]:
    return [plan.Step(("minikube", "delete", "-p", PROFILE))]
