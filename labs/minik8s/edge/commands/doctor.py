"""이 컴퓨터가 실습에 맞는지 살핀다: 파이썬, 메모리, 디스크, 컨테이너 엔진, kind,
minikube, cgroup, 프록시, 포트, 이미지."""

from __future__ import annotations

import argparse

from minik8s.edge import doctor

HELP = "이 컴퓨터가 실습에 맞는지 살핀다"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--offline", action="store_true", help="레지스트리에 닿는지는 보지 않는다")
    parser.add_argument("--timeout", type=float, default=5.0, metavar="SECONDS", help="물음마다 기다릴 시간(기본 5)")


def run(arguments: argparse.Namespace) -> int:
    """1 when something is broken; warnings are no failure."""
    found = doctor.judge(doctor.gather(network=not arguments.offline, timeout=arguments.timeout))
    for finding in found:
        print(f"[{doctor.LABEL[finding.level]}] {finding.what}: {finding.detail}")
        if finding.fix:
            print(f"       고치기: {finding.fix}")
    bad = sum(finding.level == "bad" for finding in found)
    print("\n내장 클러스터로 시작할 수 있다." if not bad else f"\n먼저 고칠 것이 {bad}가지 있다.")
    return 1 if bad else 0
