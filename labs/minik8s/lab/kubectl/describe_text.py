"""describe가 함께 쓰는 글 조각: 레이블 여러 줄, 시각, 이벤트 표."""

from __future__ import annotations

from datetime import UTC, datetime

from minik8s.lab.kubectl.session import Session
from minik8s.objects import Object
from minik8s.objects.meta import parse_time

Lines = list[str]


def moment(text: str | None) -> str:
    """A time as describe writes it: `Thu, 01 Jan 2026 00:00:10 +0000`."""
    if not text:
        return "Mon, 01 Jan 0001 00:00:00 +0000"
    return datetime.fromtimestamp(parse_time(text), UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")


def age(now: float, text: str | None) -> str:
    """How long ago, in kubectl's short form (k8s.io/apimachinery/pkg/util/duration.HumanDuration)."""
    if not text:
        return "<unknown>"
    seconds = max(0, int(now - parse_time(text)))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    return f"{days}d" if days < 730 else f"{days // 365}y"


def mapping(title: str, values: dict[str, str] | None, join: str = "=") -> Lines:
    """`Labels:  a=b` with one line per entry."""
    entries = [f"{k}{join}{v}" for k, v in sorted((values or {}).items())]
    if not entries:
        return [f"{title}:\t<none>"]
    return [f"{title}:\t{entries[0]}", *(f"\t{entry}" for entry in entries[1:])]


def annotation_lines(values: dict[str, str] | None, title: str = "Annotations") -> Lines:
    shown = {k: v for k, v in (values or {}).items() if k != "kubectl.kubernetes.io/last-applied-configuration"}
    lines = []
    for k, v in sorted(shown.items()):
        text = v.rstrip("\n")
        lines.append(f"{k}: {text}" if len(text) + len(k) < 138 and "\n" not in text else f"{k}:")
        if "\n" in text or len(text) + len(k) >= 138:
            lines += [f"  {line}" for line in text.split("\n")]
    if not lines:
        return [f"{title}:\t<none>"]
    return [f"{title}:\t{lines[0]}", *(f"\t{line}" for line in lines[1:])]


def toleration(one: Object) -> str:
    text = str(one.get("key", ""))
    if one.get("value"):
        text += f"={one['value']}"
    if one.get("effect"):
        text += f":{one['effect']}"
    if one.get("operator") == "Exists" and not one.get("value"):
        text = f"{text} op=Exists" if text else "op=Exists"
    if one.get("tolerationSeconds") is not None:
        text += f" for {one['tolerationSeconds']}s"
    return text


def tolerations(found: list[Object] | None, title: str = "Tolerations") -> Lines:
    texts = sorted(toleration(one) for one in found or ())
    if not texts:
        return [f"{title}:\t<none>"]
    pad = " " * (len(title) - len(title.lstrip()))
    return [f"{title}:\t{texts[0]}", *(f"{pad}\t{text}" for text in texts[1:])]


def events(s: Session, obj: Object) -> Lines:
    """The events that tell of `obj`; nothing with `--show-events=false`."""
    if s.args.get("show-events") in {"false", "False"}:
        return []
    meta = obj["metadata"]
    found = s.client.list(
        "events",
        meta.get("namespace") or "default",
        field_selector=f"involvedObject.name={meta['name']},involvedObject.kind={obj['kind']}",
    )
    mine = [e for e in found if e["involvedObject"].get("uid") in {meta.get("uid"), meta["name"], None}]
    if not mine:
        return ["Events:\t<none>"]
    lines = ["Events:", "  Type\tReason\tAge\tFrom\tMessage", "  ----\t------\t----\t----\t-------"]
    for event in sorted(
        mine, key=lambda e: (e.get("lastTimestamp") or e.get("eventTime") or "", e["metadata"]["name"])
    ):
        first = event.get("eventTime") or event.get("firstTimestamp")
        when = age(s.place.now(), first)
        if (event.get("count") or 1) > 1:
            when = f"{age(s.place.now(), event.get('lastTimestamp'))} (x{event['count']} over {when})"
        source = (event.get("source") or {}).get("component") or event.get("reportingComponent", "")
        field = event["involvedObject"].get("fieldPath")
        message = f"{field}: {event['message'].strip()}" if field else event["message"].strip()
        lines.append(f"  {event['type']}\t{event['reason']}\t{when}\t{source}\t{message}")
    return lines


def conditions(obj: Object, *, reason: bool) -> Lines:
    found = (obj.get("status") or {}).get("conditions") or ()
    if not found:
        return []
    if not reason:
        return ["Conditions:", "  Type\tStatus", *(f"  {c['type']} \t{c['status']} " for c in found)]
    return [
        "Conditions:",
        "  Type\tStatus\tReason",
        "  ----\t------\t------",
        *(f"  {c['type']} \t{c['status']}\t{c.get('reason', '')}" for c in found),
    ]
