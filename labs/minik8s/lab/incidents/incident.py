"""건네받은 장애: 힌트를 하나씩 펼치고, 나았는지 확인하고, 치운다."""

from __future__ import annotations

from minik8s.lab.checks import Checks
from minik8s.lab.incidents.problem import Memory, Problem
from minik8s.lab.session import Lab


class Incident:
    """`incident = lab.incident(k, "wrong-selector")`가 돌려주는 것."""

    def __init__(self, lab: Lab, problem: Problem):
        self._lab, self.problem = lab, problem
        self._memory: Memory = {}
        self._told = 0
        self.closed = False
        if problem.prepare:
            problem.prepare(lab, self._memory)
        values = {"namespace": lab.namespace, **{k: str(v) for k, v in self._memory.items()}}
        text = problem.manifest
        for key, value in values.items():
            text = text.replace("{" + key + "}", value)
        lab.apply(text)
        if problem.breaking:
            problem.breaking(lab, self._memory)
        self.seen = self._until(lambda: problem.broken(lab, self._memory), problem.patience)
        print(f"장애: {problem.title}\n\n{problem.story.strip()}\n\n나았다고 보는 것:")
        for check in problem.checks:
            print(f"  - {check.name}")
        for note in self._memory.get("notes", ()):
            print(f"\n알림: {note}")

    def hint(self) -> None:
        """힌트를 하나 더 펼친다. 부를 때마다 다음 것이 나온다."""
        hints = self.problem.hints
        self._told = min(self._told + 1, len(hints))
        for number, text in enumerate(hints[: self._told], 1):
            print(f"힌트 {number}/{len(hints)}: {text}")
        if self._told == len(hints):
            print("여기까지가 마지막 힌트다.")

    def check(self, timeout: float = 60.0) -> bool:
        """나았는지 클러스터의 움직임으로 확인한다. 고친 것이 퍼질 때까지 timeout초를 기다린다."""
        self._until(self._healed, timeout)
        checks = Checks(self.problem.title)
        for one in self.problem.checks:
            checks(one.name, lambda test=one.test: test(self._lab, self._memory), one.hint)  # type: ignore[misc]
        checks.report()
        return all(checks.results.values())

    def close(self) -> None:
        """장애가 만든 것을 모두 치운다."""
        if self.closed:
            return
        self.closed = True
        if self.problem.undo:
            self.problem.undo(self._lab, self._memory)
        self._lab.cleanup()

    def _healed(self) -> bool:
        return all(one.test(self._lab, self._memory) for one in self.problem.checks)

    def _until(self, test: object, timeout: float) -> bool:
        """Whether `test` came to hold within `timeout` seconds of the place's clock."""
        place = self._lab.place
        end = place.now() + timeout
        while True:
            try:
                if test():  # type: ignore[operator]
                    return True
            except Exception:  # half-done repairs fail in any way; the check cell tells the reason
                pass
            if place.now() >= end:
                return False
            place.sleep(0.5)
