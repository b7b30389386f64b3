"""The options of `minik8s class`, in Korean: nothing here needs the rest of the classroom, so help comes at once."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

FORMATS = ("csv", "canvas", "moodle", "lti", "nbgrader")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The subcommands with their options."""
    steps = parser.add_subparsers(dest="step", metavar="단계", required=True)

    def step(name: str, text: str, *, names: bool = True) -> Any:
        sub = steps.add_parser(name, help=text, description=text)
        sub.add_argument("--course", type=Path, default=Path(), metavar="폴더", help="강의 폴더 (기본: 지금 폴더)")
        if names:
            sub.add_argument("assignments", nargs="*", metavar="과제", help="과제 이름 (없으면 course.yaml의 모두)")
        return sub

    sub = step("init", "강의 폴더를 만든다: 설정, 비밀 키, 빈 수강생 목록", names=False)
    sub.add_argument("--name", default="쿠버네티스", help="강의 이름")
    sub.add_argument("--book", default="", metavar="주소", help="책의 주소. 피드백이 이곳의 장으로 잇는다")
    step("release", "학생마다 제 변형이 담긴 노트북을 만든다 (release/학번/)")
    sub = step("collect", "제출물을 거둔다: 폴더나 zip 파일에서 학번(또는 이름)으로 주인을 찾는다", names=False)
    sub.add_argument("assignment", metavar="과제")
    sub.add_argument("source", type=Path, nargs="+", metavar="폴더|zip")
    sub = step("grade", "거둔 것을 채점한다. 멈추었다가 다시 실행하면 이어서 한다")
    sub.add_argument("--jobs", type=int, default=0, metavar="N", help="한꺼번에 채점할 수 (기본: CPU 수)")
    sub.add_argument("--shard", default="0/1", metavar="K/N", help="N몫 가운데 K번째만 채점한다(0부터 센다)")
    sub.add_argument("--again", action="store_true", help="이미 채점한 것도 다시 채점한다")
    sub.add_argument("--unsafe", action="store_true", help="울타리(bubblewrap) 없이 돌린다. 버려도 되는 컴퓨터에서만")
    sub = step("mark", "글로 쓴 답을 사람이 채점하는 쪽을 연다 (이 컴퓨터 안에서만)", names=False)
    sub.add_argument("assignment", metavar="과제")
    sub.add_argument("--anonymous", action="store_true", help="이름을 가리고 순서를 섞는다")
    sub.add_argument("--port", type=int, default=0, metavar="N", help="포트 (기본: 비어 있는 아무 번호)")
    step("feedback", "학생마다 피드백 페이지를 만든다 (feedback/과제/학번.html)")
    sub = step("export", "점수 파일을 만든다 (export/)")
    sub.add_argument("--format", choices=FORMATS, default="csv", help="csv(엑셀), canvas, moodle, lti, nbgrader")
    step("report", "반 전체를 본다: 분포, 어려운 검사, 흔한 실패")
    sub = step("similar", "지나치게 닮은 제출의 쌍을 찾는다")
    sub.add_argument("--threshold", type=float, default=0.6, metavar="0..1", help="이만큼 닮으면 보인다 (기본 0.6)")
    sub = step("link", "허브의 학생에게 줄 링크를 적는다: 저장소를 내려받고 실습을 연다 (nbgitpuller)", names=False)
    sub.add_argument("lab", nargs="?", default="", metavar="실습", help="09-rollouts 같은 이름 (없으면 실습의 폴더)")
    sub.add_argument("--hub", required=True, metavar="주소", help="JupyterHub의 주소")
    sub.add_argument("--repo", required=True, metavar="주소", help="실습이 든 Git 저장소의 주소")
    sub.add_argument("--branch", default="main", metavar="이름", help="가지 (기본 main)")
