"""컨트롤러: 주문대로 만들고, 따라가고, 되돌리고, 조용하고, 치우는가."""

from typing import Any

from minik8s.grading import Case, Stage


class Bench:
    """A cluster with one order, and the student's reconcile, called as a controller's work queue would."""

    def __init__(self, case: Case):
        self.case = case
        self.stage: Stage = case.stage(nodes=2)
        self.code = case.code("controller", self.stage)
        # Code that goes by the order does not mind what the order is; code that has learned the checks by heart does.
        self.name = f"{case.v.team}-{case.fresh()[:6]}"
        self.replicas = case.pick([1, 2, 3, 4], "replicas")
        self.more = case.pick([n for n in range(1, 6) if n != self.replicas], "more")

    def order(self, name: str, replicas: int, image: str, kind: str = "") -> None:
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "labels": {"order": kind or self.case.v.kind}},
            "data": {"image": image, "replicas": str(replicas)},
        }
        self.stage.put([body], settle=0)

    def turn(self, name: str = "") -> None:
        self.code("reconcile", {"$client": "student-controller"}, "default", name or self.name)
        self.stage.advance(20)

    def start(self) -> None:
        self.order(self.name, self.replicas, self.case.v.image)
        self.turn()

    def state(self) -> tuple[Any, ...]:
        """(replicas, image, ready pods) of the site."""
        found = self.stage.find("deployments.apps", self.name)
        self.case.need(found, "디플로이먼트가 없다.")
        assert found is not None
        containers = found["spec"]["template"]["spec"]["containers"]
        return found["spec"]["replicas"], containers[0]["image"], len(self.stage.ready(site=self.name))

    def expect(self, replicas: int, image: str, when: str) -> None:
        want, got = (replicas, image, replicas), self.state()
        told = "레플리카 {}개, 이미지 {}, 준비된 파드 {}개"
        self.case.need(got == want, f"{when}: {told.format(*got)}. 바라던 것: {told.format(*want)}.")


def builds(case: Case) -> None:
    bench = Bench(case)
    bench.start()
    bench.expect(bench.replicas, case.v.image, "만든 뒤")
    found = bench.stage.find("deployments.apps", bench.name)
    assert found is not None
    name = found["spec"]["template"]["spec"]["containers"][0]["name"]
    case.need(name == case.v.container, f"컨테이너의 이름이 {name}이다.")


def follows(case: Case) -> None:
    bench = Bench(case)
    bench.start()
    bench.order(bench.name, bench.more, "nginx:1.28")
    bench.turn()
    bench.stage.advance(60)
    bench.expect(bench.more, "nginx:1.28", "주문을 바꾼 뒤")


def repairs(case: Case) -> None:
    bench = Bench(case)
    bench.start()
    bench.stage.client.patch("deployments.apps", "default", bench.name, {"spec": {"replicas": bench.more}})
    bench.turn()
    bench.expect(bench.replicas, case.v.image, "남이 고친 뒤")
    bench.stage.client.delete("deployments.apps", "default", bench.name)
    bench.stage.advance(20)
    bench.turn()
    bench.expect(bench.replicas, case.v.image, "남이 지운 뒤")


def still(case: Case) -> None:
    bench = Bench(case)
    bench.start()
    bench.state()
    bench.stage.cluster.settle()
    before = bench.code.writes
    for _ in range(3):
        bench.turn()
    case.need(bench.code.writes == before, f"할 일이 없는데도 {bench.code.writes - before}번 쓰려고 했다.")


def cleans(case: Case) -> None:
    bench = Bench(case)
    bench.start()
    bench.state()
    bench.stage.client.delete("configmaps", "default", bench.name, propagation="Background")
    bench.turn()
    bench.stage.advance(60)
    case.need(bench.stage.find("deployments.apps", bench.name) is None, "주문이 사라졌는데 디플로이먼트가 남았다.")
    bench.turn()


def minds(case: Case) -> None:
    bench = Bench(case)
    bench.start()
    bench.state()
    bench.order("stranger", 2, "nginx:1.27", kind="other")
    bench.turn("stranger")
    case.need(bench.stage.find("deployments.apps", "stranger") is None, "주문이 아닌 컨피그맵으로 무언가를 만들었다.")
