"""실습이 쓰는 이미지를 보여 주고, 다이제스트로 못 박고, 미리 받아 클러스터에 넣는다. 돌리는 명령을 모두 출력한다.

네트워크가 없는 교실: 네트워크가 있는 컴퓨터에서 `minik8s images save`로 묶고, 교실의 컴퓨터마다
`minik8s images preload --file minik8s-images.tar --to kind-minik8s`로 넣는다.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from minik8s.edge import images, plan
from minik8s.edge.registry import RegistryError

HELP = "실습의 이미지를 보여 주고 미리 넣는다"
ACTIONS = ("list", "lock", "pull", "save", "preload")


def arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "action",
        nargs="?",
        default="list",
        choices=ACTIONS,
        help="list 보여 주기(기본) | lock 레지스트리에 물어 다이제스트를 적기 | pull 받기 | save 한 파일로 묶기 | "
        "preload 받거나 풀어서 클러스터에 넣기",
    )
    add("--to", metavar="CONTEXT", help="preload: kind-이름, 또는 minikube 프로필. 비우면 컨테이너 엔진에만 둔다")
    add("--file", metavar="FILE", help="save: 쓸 묶음(기본 minik8s-images.tar), preload: 받는 대신 풀 묶음")
    add("--lock", type=Path, metavar="FILE", help=f"다이제스트를 적거나 읽을 파일(기본: 꾸러미 속의 {images.LOCK})")
    add("--check", action="store_true", help="lock: 적지 않고, 지금 것과 다르면 1로 끝난다")
    add("--dry-run", action="store_true", help="명령을 보여 주기만 한다")


def run(arguments: argparse.Namespace) -> int:
    try:
        if arguments.action == "lock":
            return _lock(arguments.lock or images.lock_path(), check=arguments.check)
        found = images.listed(arguments.lock)
    except (ValueError, RegistryError) as error:
        print(f"minik8s: {error}", file=sys.stderr)
        return 1
    if arguments.action == "list":
        return _list(found)
    return plan.run(_steps(arguments, found), dry=arguments.dry_run)


def _list(found: list[images.Image]) -> int:
    for image in found:
        print(f"{image.tagged:36} {image.digest[:19] or '(못 박지 않음)':20} {image.used}")
    if not all(image.digest for image in found):
        print("\n다이제스트는 네트워크가 있는 곳에서 `minik8s images lock`이 적는다. 그때까지는 태그로 받는다.")
    return 0


def _lock(path: Path, *, check: bool) -> int:
    """Ask the registries and write the lock; or only say whether it would change."""
    text = images.lock(images.listed(path))
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    if text == before:
        print(f"{path}은(는) 그대로다.")
        return 0
    if check:
        print(f"{path}이(가) 레지스트리와 다르다. `minik8s images lock`으로 새로 적자.", file=sys.stderr)
        return 1
    path.write_text(text, encoding="utf-8")
    print(f"{path}에 적었다.")
    return 0


def _steps(wanted: argparse.Namespace, found: list[images.Image]) -> list[plan.Step]:
    engine = plan.engine()
    if wanted.action == "preload" and wanted.file:
        steps = [plan.Step((engine, "load", "-i", wanted.file))]
    else:
        steps = images.pull(engine, found)
    if wanted.action == "save":
        target = wanted.file or "minik8s-images.tar"
        steps.append(plan.Step((engine, "save", "-o", target, *(image.tagged for image in found))))
    if wanted.action == "preload" and wanted.to:
        if wanted.to.startswith("kind-"):
            steps += images.into_kind(wanted.to.removeprefix("kind-"), found)
        else:
            steps += images.into_minikube(wanted.to, found)
    return steps
