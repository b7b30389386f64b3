"""A decision in the reader's words: as a table of nodes, and as Korean sentences.

Both read a record as JSON values (`Decision.to_json()`, or the detail of a `schedule` record of the trace), so that
notebooks, the command line and widgets tell the same story.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from minik8s.scheduler.record import Decision

Record = Mapping[str, Any]

# (English reason of kube-scheduler, as a pattern; what it means)
_MEANINGS: tuple[tuple[str, str], ...] = (
    (r"Insufficient (\S+)", r"남은 \1 자원이 요청량보다 적다"),
    (r"Too many pods", "노드가 받을 수 있는 파드 수가 찼다"),
    (r"node\(s\) were unschedulable", "cordon된 노드라서 새 파드를 받지 않는다"),
    (r"node\(s\) had untolerated taint\(s\)", "노드의 테인트를 견디는 톨러레이션이 파드에 없다"),
    (r"node\(s\) didn't match Pod's node affinity/selector", "파드의 노드 셀렉터나 노드 어피니티에 맞지 않는다"),
    (r"node\(s\) didn't match scheduler-enforced node affinity", "스케줄러 설정이 더한 노드 어피니티에 맞지 않는다"),
    (r"node\(s\) didn't match the requested node name", "파드가 이름으로 정한 노드가 아니다"),
    (r"node\(s\) didn't have free ports .*", "파드가 쓰려는 호스트 포트를 다른 파드가 쓰고 있다"),
    (
        r"node\(s\) didn't match pod topology spread constraints \(missing required label\)",
        "토폴로지 분배 제약 조건이 말하는 레이블이 노드에 없다",
    ),
    (
        r"node\(s\) didn't match pod topology spread constraints",
        "여기에 놓으면 토폴로지 도메인 사이의 파드 수 차이가 maxSkew를 넘는다",
    ),
    (r"node\(s\) didn't match pod affinity rules", "같이 있어야 할 파드가 이 토폴로지 도메인에 없다"),
    (r"node\(s\) didn't match pod anti-affinity rules", "떨어져 있어야 할 파드가 이 토폴로지 도메인에 있다"),
    (
        r"node\(s\) didn't satisfy existing pods anti-affinity rules",
        "이미 있는 파드의 안티어피니티가 이 파드를 밀어낸다",
    ),
    (r"node\(s\) didn't find available persistent volumes to bind", "바인딩할 퍼시스턴트볼륨을 찾을 수 없다"),
    (r"node\(s\) didn't match PersistentVolume's node affinity", "파드의 퍼시스턴트볼륨을 이 노드에서 쓸 수 없다"),
    (r"node\(s\) did not have enough free storage", "새 볼륨을 만들 저장 공간이 모자란다"),
    (r"node\(s\) had no available volume zone", "파드의 볼륨이 다른 영역에 있다"),
    (r"node\(s\) exceed max volume count", "노드에 연결할 수 있는 볼륨 수가 찼다"),
    (
        r"node\(s\) unavailable due to PersistentVolumeClaim with ReadWriteOncePod .*",
        "ReadWriteOncePod 볼륨을 다른 파드가 쓰고 있다",
    ),
    (r"pod has unbound immediate PersistentVolumeClaims", "아직 바인딩되지 않은 퍼시스턴트볼륨클레임이 있다"),
    (r'persistentvolumeclaim "(\S+)" not found', r"퍼시스턴트볼륨클레임을 찾을 수 없다: \1"),
    (r"node\(s\) didn't satisfy plugin\(s\) \[(.*)\]", r"\1 플러그인이 미리 후보에서 뺐다"),
    (r"pod affinity terms conflict", "노드 이름에 대한 조건들이 서로 어긋난다"),
)


def meaning(reason: str) -> str:
    """이유 문구의 뜻이다. 모르는 문구(예: 직접 만든 플러그인의 것)는 그대로 돌려준다."""
    for pattern, text in _MEANINGS:
        found = re.fullmatch(pattern, reason)
        if found:
            return found.expand(text)
    return reason


def as_record(decision: Decision | Record) -> Record:
    return decision.to_json() if isinstance(decision, Decision) else decision


def rows(decision: Decision | Record) -> list[dict[str, Any]]:
    """One row per node that was looked at, best first: node, result, plugin, reasons, total, and a cell per plugin.

    A plugin's cell is (raw score, normalized score, weight, weighted score).
    """
    record = as_record(decision)
    found = []
    for node in sorted(record["feasible"], key=lambda n: (-record["totals"].get(n, 0), n != record["node"], n)):
        cells = {name: _cell(scores, node) for name, scores in record["scores"].items()}
        result = "선택" if node == record["node"] else "동점" if node in record["best"] else "통과"
        total = record["totals"].get(node)
        found.append({"node": node, "result": result, "plugin": "", "reasons": [], "total": total, "scores": cells})
    for node, status in sorted(record["filtered"].items()):
        refused = {"plugin": status["plugin"], "reasons": list(status["reasons"]), "total": None, "scores": {}}
        found.append({"node": node, "result": "거름", **refused})
    return found


def _cell(scores: Mapping[str, Any], node: str) -> tuple[int, int, int, int]:
    normalized = scores["normalized"].get(node, 0)
    return scores["raw"].get(node, 0), normalized, scores["weight"], normalized * scores["weight"]


def table(decision: Decision | Record) -> str:
    """The rows as plain text in columns."""
    record = as_record(decision)
    plugins = sorted(record["scores"])
    lines = [["노드", "결과", *plugins, "합계 / 이유"]]
    for row in rows(record):
        cells = [f"{c[0]}→{c[1]}×{c[2]}={c[3]}" if c else "-" for c in (row["scores"].get(name) for name in plugins)]
        last = ", ".join(row["reasons"]) if row["reasons"] else "-" if row["total"] is None else str(row["total"])
        lines.append([row["node"], row["result"], *cells, last])
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(_padded(c, w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def _width(text: str) -> int:
    """Columns on a terminal: Korean letters take two."""
    return sum(2 if "\u1100" <= letter <= "\uffe6" else 1 for letter in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def sentences(decision: Decision | Record) -> list[str]:
    """The decision as Korean sentences, in the order in which things were decided."""
    record = as_record(decision)
    pod = record["pod"]
    match record["outcome"]:
        case "gated":
            return [f"파드 {pod}: schedulingGates가 남아 있어서 큐에 들어가지 않았다."]
        case "assigned":
            return [f"파드 {pod}: spec.nodeName이 이미 정해져 있어서 스케줄러가 고르지 않았다."]
        case "skipped":
            return [f"파드 {pod}: 삭제되는 중이라서 건너뛰었다."]
        case "error":
            return [f"파드 {pod}: 플러그인에서 오류가 나서 이번 시도를 그만두었다. {record['message'] or ''}".rstrip()]
    told = [*_filtering(record)]
    told += _choosing(record) if record["node"] else _failing(record)
    return told


def _filtering(record: Record) -> Iterable[str]:
    pod, nodes = record["pod"], record["nodes"]
    if record["prefilter"]:
        status = record["prefilter"]
        reasons = " ".join(f"{meaning(reason)}({reason})." for reason in status["reasons"])
        yield f"파드 {pod}: {status['plugin']} 플러그인이 노드를 보기도 전에 파드를 거절했다. {reasons}"
        return
    if record.get("path") == "fast":
        yield f"파드 {pod}: 빠른 경로가 노드 {nodes}개 가운데에서 골랐다. 노드별 점수는 남기지 않았다."
        return
    if not nodes:
        yield f"파드 {pod}: 클러스터에 노드가 하나도 없다."
        return
    if nodes > 1 and record["passed"] == 1 and not record["filtered"]:
        yield f"파드 {pod}: 전에 지명된 노드 {record['feasible'][0]}부터 보았고, 모든 필터를 통과했다."
        return
    yield f"파드 {pod}: 노드 {nodes}개 가운데 {record['passed']}개가 모든 필터를 통과했다."
    for (plugin, why), names in sorted(_refusals(record).items()):
        told = ", ".join(f"{meaning(reason)}({reason})" for reason in why)
        by = f"{plugin} 필터가" if plugin else "PreFilter 단계가"
        yield f"{by} {_object(_list(names))} 걸렀다: {told}."


def _object(words: str) -> str:
    """The words with the object particle that suits how their last letter is read: n1을, n2를."""
    last = words[-1:]
    if "가" <= last <= "힣":
        closed = (ord(last) - ord("가")) % 28 != 0
    else:
        closed = last.lower() in set("013678lmnr")
    return words + ("을" if closed else "를")


def _refusals(record: Record) -> dict[tuple[str, tuple[str, ...]], list[str]]:
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for node, status in record["filtered"].items():
        found.setdefault((status["plugin"], tuple(status["reasons"])), []).append(node)
    return found


def _list(names: list[str], most: int = 5) -> str:
    names = sorted(names)
    shown = ", ".join(names[:most])
    return f"노드 {shown}" if len(names) <= most else f"노드 {shown} 등 {len(names)}개"


def _choosing(record: Record) -> Iterable[str]:
    node, totals = record["node"], record["totals"]
    if not totals:
        if record["passed"] == 1 and record["nodes"] > 1:
            yield "남은 노드가 하나뿐이라서 점수를 매기지 않았다."
        yield f"그래서 {node}에 배치하기로 했다."
        return
    if len(record["best"]) > 1:
        yield (
            f"{_list(record['best'])}의 합계가 {totals[node]}점으로 같다. "
            f"동점이면 후보 목록으로 만든 힙의 맨 위가 뽑히므로 {node}에 배치하기로 했다."
        )
    else:
        yield f"합계가 가장 높은 {node}({totals[node]}점)에 배치하기로 했다."
    rest = [name for name in totals if name not in record["best"]]
    if rest:
        second = max(sorted(rest), key=lambda name: totals[name])
        yield f"그다음은 {second}({totals[second]}점)이다. {_difference(record, node, second)}"


def _difference(record: Record, first: str, second: str) -> str:
    gaps = []
    for name, scores in sorted(record["scores"].items()):
        gap = scores["weight"] * (scores["normalized"].get(first, 0) - scores["normalized"].get(second, 0))
        if gap:
            gaps.append((-abs(gap), f"{name} {gap:+d}점"))
    return f"차이는 {', '.join(text for _, text in sorted(gaps))}에서 왔다." if gaps else ""


def _failing(record: Record) -> Iterable[str]:
    if record["nominated"]:
        victims = _object(", ".join(record["victims"]))
        yield f"선점: {record['nominated']}에서 {victims} 내보내면 자리가 난다."
        yield "그 노드를 nominatedNodeName에 적어 두고 자리가 나기를 기다린다."
    elif record["filtered"] and all(s["code"] == "UnschedulableAndUnresolvable" for s in record["filtered"].values()):
        yield "어느 노드에서든 다른 파드를 내보내도 소용이 없어서 선점하지 않았다."
    elif record["filtered"]:
        yield "선점으로도 자리를 만들지 못했다."
    if record["message"]:
        yield f"이벤트 FailedScheduling: {record['message']}"


def text(decision: Decision | Record) -> str:
    """Sentences, then the table where there are scores or refusals to show."""
    record = as_record(decision)
    told = "\n".join(sentences(record))
    shown = record.get("path") != "fast" and bool(record["feasible"] or record["filtered"])
    return f"{told}\n\n{table(record)}" if shown else told
