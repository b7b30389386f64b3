"""명령 줄을 kubectl처럼 읽는다: 짧은 옵션, `--이름=값`, `--` 뒤의 명령."""

from __future__ import annotations

from dataclasses import dataclass, field


class UsageError(Exception):
    """A mistake in the command line; the text is kubectl's."""


SHORT = {
    "n": "namespace",
    "o": "output",
    "l": "selector",
    "f": "filename",
    "A": "all-namespaces",
    "w": "watch",
    "L": "label-columns",
    "c": "container",
    "p": "previous",
    "k": "kustomize",
    "i": "stdin",
    "t": "tty",
    "R": "recursive",
    "q": "quiet",
}
SWITCHES = {
    "all-namespaces",
    "watch",
    "watch-only",
    "no-headers",
    "show-labels",
    "previous",
    "follow",
    "all",
    "force",
    "ignore-not-found",
    "overwrite",
    "stdin",
    "tty",
    "show-managed-fields",
    "server-side",
    "force-conflicts",
    "ignore-daemonsets",
    "delete-emptydir-data",
    "now",
    "client",
    "list",
    "timestamps",
    "containers",
    "recursive",
    "namespaced",
    "all-containers",
    "quiet",
    "show-kind",
    "local",
    "rm",
    "minify",
    "raw-output",
    "prefix",
    "wait-for",
    "disable-eviction",
    "command",
}
OPTIONAL = {
    "dry-run": "client",
    "wait": "true",
    "cascade": "background",
    "validate": "true",
    "record": "true",
    "namespaced": "true",
    "expose": "true",
    "save-config": "true",
}
"""Options whose value may be left out, and what that means."""


@dataclass
class Args:
    """A read command line: words, options (the last of each, and all of them), and what follows `--`."""

    words: list[str] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    repeated: dict[str, list[str]] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)

    def get(self, name: str, default: str = "") -> str:
        return self.options.get(name, default)

    def all(self, name: str) -> list[str]:
        return self.repeated.get(name, [])

    def on(self, name: str) -> bool:
        return self.options.get(name, "false") not in {"false", "False", "0"}


def parse(argv: list[str], short: dict[str, str] | None = None) -> Args:
    """Read `argv` (without the leading `kubectl`). `short` adds meanings of letters for one command."""
    letters, out = SHORT | (short or {}), Args()
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if word == "--":
            out.command = rest
            break
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            _put(out, name, value if equals else None, rest, word)
        elif word.startswith("-") and len(word) > 1 and not word[1].isdigit():
            _letters(out, word[1:], letters, rest)
        else:
            out.words.append(word)
    return out


def _letters(out: Args, word: str, letters: dict[str, str], rest: list[str]) -> None:
    while word:
        name = letters.get(word[0])
        if name is None:
            raise UsageError(f"error: unknown shorthand flag: '{word[0]}' in -{word}\nSee 'kubectl --help' for usage.")
        word = word[1:]
        if name in SWITCHES:
            _put(out, name, "true", rest, name)
            continue
        _put(out, name, word.removeprefix("=") if word else None, rest, name)
        return


def _put(out: Args, name: str, value: str | None, rest: list[str], word: str) -> None:
    if value is None:
        if name in SWITCHES:
            value = "true"
        elif name in OPTIONAL:
            value = OPTIONAL[name]
        elif rest:
            value = rest.pop(0)
        else:
            raise UsageError(f"error: flag needs an argument: {word}\nSee 'kubectl --help' for usage.")
    out.options[name] = value
    out.repeated.setdefault(name, []).append(value)
