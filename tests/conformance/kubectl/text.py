"""What legitimately differs from run to run in kubectl's output, replaced by placeholders.

Runs of blanks inside a line become two, trailing blanks go, durations standing alone become <age>, suffixes <rand>,
template and revision hashes <hash>, addresses <ip>, nodes <node> (unless kept), the server's URL <server>. Output that
is one JSON value is normalised as JSON. Progress lines of `rollout status` go; the events of a describe are sorted.
"""

from __future__ import annotations

import json
import re
from typing import Any

from conformance.runner.normalise import Normaliser

_A = "bcdfghjklmnpqrstvwxz2456789"
_UID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_LONG_TIME = re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} [A-Z]+")
_MAIL_TIME = re.compile(r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}")
_IP = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_RAND = re.compile(rf"(?<=[a-z0-9>])-[{_A}]{{5}}(?![a-z0-9-])")
_HASH = re.compile(rf"-(?:[{_A}]{{8,10}}|(?=[{_A}]*\d)[{_A}]{{6,7}})(?![a-z0-9])")
_LABEL_HASH = re.compile(
    rf"((?:pod-template|controller-revision)-hash[\"\\]*[=:] ?[\"\\]*)[a-z0-9-]*?([{_A}]{{6,10}})\b"
)
_EVENT_HEX = re.compile(r"\.[0-9a-f]{15,16}(?![0-9a-z])")
_VERSION = re.compile(r'(resourceVersion: ?|resourceVersion=|"resourceVersion":\s*|Resource Version:\s*)"?\d+"?')
_KLOG = re.compile(r"\b[A-Z]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ ([a-z_]+\.go):\d+\]")
_PORT = re.compile(r"(nodePort: |NodePort: +.*? |:)(3[0-2]\d{3})(?=/|$|\s)")
_DURATION = re.compile(
    r"(?:(?<=\s)|^|(?<=\())(?=\d)(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+(?:\.\d+)?m?s)?(?=\s|$|\))"
)


class Output:
    """The normaliser of one scenario; it sees the outputs in order."""

    def __init__(self, scenario: dict[str, Any], folder: str):
        files = scenario.get("files") or {}
        commands = [step.get("cmd") for step in scenario["steps"]]
        self._json = Normaliser([files, commands])
        texts = [*files.values(), *(c for c in commands if c)]
        self._blob = "\n".join([*sorted(_scalars([files, commands])), *files.values()])
        words = re.findall(r"[\w.:/-]+", "\n".join([*texts, self._blob]))
        self._literals = _scalars([files, commands]) | set(words)
        self._json._literals |= self._literals  # what a command line names is kept in JSON output too
        self._json._blob = self._blob
        self._nodes = not scenario.get("keepNodes", False)
        self._folder = folder

    def text(self, text: str, command: str) -> str:
        """stdout or stderr of `command`."""
        if text.strip()[:1] in ("{", "["):
            try:
                value = json.loads(text)
            except ValueError:
                pass
            else:
                return json.dumps(self._loose(self._json.value(value)), indent=1, sort_keys=True)
        if "rollout status" in command:  # how many of these are seen is a matter of timing
            text = re.sub(r"(?m)^Waiting for .*\n", "", text)
        lines = [self._line(line) for line in _without_foreign(text.split("\n"))]
        if "describe" in command:
            _sort_events(lines)
        return _without_foreign_yaml("\n".join(line.rstrip() for line in lines))

    def _line(self, line: str) -> str:
        line = _UID.sub("<uid>", line)
        line = re.sub(r"https://[\d.]+:\d+|https?://localhost:\d+", "<server>", line)
        line = _TIME.sub(lambda m: m[0] if m[0] in self._blob else "<time>", line)
        line = _MAIL_TIME.sub("<time>", _LONG_TIME.sub("<time>", line))
        line = _KLOG.sub(r"<klog> \1]", _VERSION.sub(r"\1<rv>", line))
        line = _IP.sub(lambda m: m[0] if m[0] in self._blob else "<ip>", line)
        line = re.sub(r"kube-api-access-[a-z0-9]{5}", "kube-api-access-<rand>", line)
        line = _EVENT_HEX.sub(".<hex>", line).replace(self._folder, "<dir>")
        line = _PORT.sub(lambda m: m[0] if m[2] in self._literals else m[1] + "<port>", line)
        line = _DURATION.sub(_age, self._suffixes(line))
        line = re.sub(r"<age> \(x\d+ over <age>\)", "<age>", line)
        line = re.sub(r"(?<=\S)[ \t]{2,}", "  ", line)
        if re.match("Warning: (ignoring|deleting) ", line) and "; " in line:
            line = "Warning: " + "; ".join(sorted(line[9:].split("; ")))
        return line

    def _suffixes(self, text: str) -> str:
        if text in self._literals:
            return text
        text = re.sub(r"-\d{8}(?![0-9a-z])", "-<sched>", text)
        text = _HASH.sub(lambda m: m[0] if m[0][1:] in self._blob else "-<hash>", text)
        text = _LABEL_HASH.sub(r"\1<hash>", text)
        text = _RAND.sub(lambda m: m[0] if m[0][1:] in self._blob else "-<rand>", text)
        return re.sub(r"\bnode-[123]\b", "<node>", text) if self._nodes else text

    def _loose(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._loose(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._loose(item) for item in value]
        return self._suffixes(value) if isinstance(value, str) else value


def _scalars(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(map(str, value)) | {s for item in value.values() for s in _scalars(item)}
    if isinstance(value, list):
        return {s for item in value for s in _scalars(item)}
    return set() if value is None or isinstance(value, bool) else {str(value)}


def _age(found: re.Match[str]) -> str:
    text = found[0]
    is_quantity = re.match(r"\d{3,}m$", text)  # 250m is CPU
    return "<age>" if re.search(r"[dhms]$", text) and not is_quantity else text


def _sort_events(lines: list[str]) -> None:
    """Events of the same second come in any order."""
    for start, line in enumerate(lines):
        if re.match(r"\s+----\s+------\s+---- ", line):
            end = start + 1
            while end < len(lines) and re.match(r"\s+(Normal|Warning) ", lines[end]):
                end += 1
            lines[start + 1 : end] = sorted(lines[start + 1 : end])


def _without_foreign(lines: list[str]) -> list[str]:
    """Without the projected source that only the recorded build has."""
    out: list[str] = []
    skip = False
    for line in lines:
        if skip and re.match(r"\s*(ConfigMapOptional|Optional):", line):
            skip = False
            continue
        skip = bool(re.match(r"\s*(ConfigMapName|Optional):", line)) and "openshift-service-ca.crt" in line
        if not skip:
            out.append(line)
    return out


def _without_foreign_yaml(text: str) -> str:
    source = r"\n *- configMap:\n *items:\n *- key: service-ca.crt\n *path: service-ca.crt\n"
    return re.sub(source + r" *name: openshift-service-ca.crt", "", text)
