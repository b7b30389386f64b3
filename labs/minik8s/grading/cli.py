"""과제를 내고, 거두고, 채점하고, 돌려준다.

보통의 순서: init → roster.csv 채우기 → release → collect → grade → feedback → export, report, similar
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from minik8s.grading import batch, feedback, marking, report, sandbox, similar
from minik8s.grading import collect as intake
from minik8s.grading import export as exporting
from minik8s.grading import release as releasing
from minik8s.grading.assignment import chapters
from minik8s.grading.course import Course, CourseError, create, write
from minik8s.grading.links import hub_link

UNSAFE = """--unsafe: 학생의 코드를 울타리 없이 이 계정으로 돌린다. 그 코드는 이 계정이 할 수 있는 일을 모두 할 수 있다.
파일을 지우고, 네트워크에 접속하고, 비밀 키와 다른 학생의 답을 읽을 수 있다.
버려도 되는 컨테이너나 가상 머신에서만 쓰자."""


def run(arguments: argparse.Namespace) -> int:
    """Do one step; the exit status."""
    try:
        return STEPS[arguments.step](arguments)
    except (CourseError, sandbox.NoSandbox) as problem:
        print(f"minik8s: {problem}", file=sys.stderr)
        return 1


def _init(args: argparse.Namespace) -> int:
    course = create(args.course, args.name, args.book)
    print(f"{course.root.resolve()}에 강의를 만들었다. roster.csv에 `id,name`으로 수강생을 적자.")
    print("secret.key는 변형의 열쇠다. 따로 보관하고 아무에게도 주지 말자.")
    return 0


def _release(args: argparse.Namespace) -> int:
    course = Course(args.course)
    found = course.assignments(args.assignments)
    for assignment in found:
        for student in course.roster:
            releasing.release(course, assignment, student)
    print(f"과제 {len(found)}개를 {len(course.roster)}명에게 release/에 만들었다.")
    return 0


def _collect(args: argparse.Namespace) -> int:
    course = Course(args.course)
    assignment = course.assignment(args.assignment)
    total: set[str] = set()
    for source in args.source:
        done = intake.collect(course, assignment.name, source)
        total |= set(done.taken)
        for line in done.left:
            print(f"  {line}")
    missing = [s.id for s in course.roster if not (course.root / "submitted" / assignment.name / s.id).is_dir()]
    print(f"{len(total)}명의 제출물을 거두었다." + (f" 아직 없는 사람: {', '.join(missing)}" if missing else ""))
    return 0


def _grade(args: argparse.Namespace) -> int:
    course = Course(args.course)
    if args.unsafe:
        print(UNSAFE, file=sys.stderr)
    elif why := sandbox.refusal():
        raise CourseError(f"울타리 없이는 채점하지 않는다. {why}\n{UNSAFE}")
    bad, shard = 0, batch.shard(args.shard)
    for assignment in course.assignments(args.assignments):
        counts = batch.grade(course, assignment, jobs=args.jobs, part=shard, safe=not args.unsafe, again=args.again,
                             progress=_bar(assignment.name))
        bad += counts["failed"]
        print(f"{assignment.name}: 새로 채점 {counts['graded']}, 그대로 {counts['kept']}, 못 한 것 {counts['failed']}")
    return 1 if bad else 0


def _mark(args: argparse.Namespace) -> int:
    course = Course(args.course)
    with marking.Desk(course, course.assignment(args.assignment), args.port, args.anonymous) as desk:
        print(f"열 곳: {desk.address}\n끝내려면 Ctrl-C를 누르자. 점수는 manual/에 그때그때 남는다.", flush=True)
        try:
            desk.serve_forever()
        except KeyboardInterrupt:
            print("\n닫았다.")
    return 0


def _bar(name: str) -> Callable[[int, int], None]:
    """A progress bar on a terminal; silence elsewhere."""

    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            full = 30 * done // total
            end = "\n" if done == total else ""
            print(f"\r{name} [{'█' * full}{'·' * (30 - full)}] {done}/{total}", end=end, file=sys.stderr, flush=True)

    return show


def _feedback(args: argparse.Namespace) -> int:
    course, pages = Course(args.course), 0
    names = {student.id: student.name for student in course.roster}
    titles = chapters()
    for assignment in course.assignments(args.assignments):
        for student, result in batch.results(course, assignment).items():
            html = feedback.page(result, names.get(student, ""), assignment.title, course.book, titles)
            write(course.root / "feedback" / assignment.name / f"{student}.html", html)
            pages += 1
    print(f"피드백 {pages}쪽을 feedback/에 만들었다.")
    return 0


def _export(args: argparse.Namespace) -> int:
    course = Course(args.course)
    for path in exporting.export(course, course.assignments(args.assignments), args.format):
        print(path)
    return 0


def _report(args: argparse.Namespace) -> int:
    course = Course(args.course)
    for assignment in course.assignments(args.assignments):
        print(report.text(assignment, batch.results(course, assignment), len(course.roster)))
    return 0


def _similar(args: argparse.Namespace) -> int:
    course = Course(args.course)
    for assignment in course.assignments(args.assignments):
        answers, values = {}, {}
        for student in course.roster:
            folder = course.root / "submitted" / assignment.name / student.id
            try:
                answers[student.id] = batch.read(batch.submission(folder), list(assignment.answers))
            except ValueError:
                continue
            values[student.id] = assignment.variant(course.secret, student.id)
        answers = {who: texts for who, texts in answers.items() if texts}
        practice = assignment.variant()
        given = "\n".join(cell.source for cell in assignment.handout(practice))
        model = (assignment.model(practice), practice)
        print(f"{assignment.name}: 제출 {len(answers)}개")
        for pair in similar.pairs(answers, values, given, args.threshold, assignment.answers, model):
            why = ["글자까지 같다"] * pair.same + [f"닮음 {pair.likeness:.0%}"] * (pair.likeness > 0)
            why += pair.foreign
            print(f"  {pair.first} · {pair.second}: {', '.join(why)}")
    return 0


def _link(args: argparse.Namespace) -> int:
    print(hub_link(args.hub, args.repo, args.lab, args.branch))
    return 0


STEPS: dict[str, Callable[[argparse.Namespace], int]] = {
    "init": _init,
    "release": _release,
    "collect": _collect,
    "grade": _grade,
    "mark": _mark,
    "feedback": _feedback,
    "export": _export,
    "report": _report,
    "similar": _similar,
    "link": _link,
}
