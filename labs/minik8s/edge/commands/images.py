"""실습이 쓰는 이미지를 보여 주고, 미리 받아 클러스터에 넣는다. 돌리는 명령을 모두 출력한다."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys

import yaml

from minik8s.edge import images, plan

HELP = "실습의 이미지를 보여 주고 미리 넣는다"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        nargs="?",
        default="list",
        choices=["list", "pull", "save", "load", "pin"],
        help="list 보여 주기(기본) | pull 받기 | save 한 파일로 묶기 | load 클러스터에 넣기 | pin 다이제스트 알아내기",
    )
    parser.add_argument("--to", metavar="CONTEXT", help="load: kind-이름, 또는 minikube 프로필")
    parser.add_argument("--file", metavar="FILE", default="minik8s-images.tar", help="save/load: 묶음 파일")
    parser.add_argument("--dry-run", action="store_true", help="명령을 보여 주기만 한다")


def run(arguments: argparse.Namespace) -> int:
    found, engine = images.listed(), plan.engine()
    if arguments.action == "list":
        for image in found:
            print(f"{image.tagged:40} {image.digest or '(다이제스트 없음)':20} {image.used}")
        return 0
    if arguments.action == "pin":
        return pin(found, dry=arguments.dry_run)
    if arguments.action == "load":
        if not arguments.to:
            print("minik8s: 어디에 넣을지 적자. 예: minik8s images load --to kind-minik8s", file=sys.stderr)
            return 2
        return plan.run([*images.pull(engine, found), *_load(arguments.to, found)], dry=arguments.dry_run)
    steps = images.pull(engine, found)
    if arguments.action == "save":
        steps.append(plan.Step((engine, "save", "-o", arguments.file, *(image.tagged for image in found))))
    return plan.run(steps, dry=arguments.dry_run)


def _load(context: str, found: list[images.Image]) -> list[plan.Step]:
    if context.startswith("kind-"):
        return images.into_kind(context.removeprefix("kind-"), found)
    return images.into_minikube(context, found)


def pin(found: list[images.Image], *, dry: bool) -> int:
    """Ask the registry for the digest of each index, and print the file with them."""
    entries = []
    for image in found:
        argv = ("docker", "buildx", "imagetools", "inspect", "--format", "{{.Manifest.Digest}}", image.tagged)
        print(plan.shown(plan.Step(argv)), file=sys.stderr)
        if dry:
            continue
        if shutil.which("docker") is None:
            print(plan.missing("docker"), file=sys.stderr)
            return 127
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"minik8s: {image.tagged}의 다이제스트를 알 수 없다: {done.stderr.strip()}", file=sys.stderr)
            return 1
        entries.append({"name": image.name, "tag": image.tag, "digest": done.stdout.strip(), "used": image.used})
    if entries:
        print(yaml.safe_dump({"images": entries}, allow_unicode=True, sort_keys=False), end="")
    return 0
