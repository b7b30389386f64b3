"""명령 하나가 도는 동안의 상태: 어느 클러스터의 어느 네임스페이스에서, 무엇을 찍었나."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from minik8s.client import Client
from minik8s.lab import refs
from minik8s.lab.kubectl.args import Args, UsageError
from minik8s.lab.official import ADMIN
from minik8s.lab.place import Place
from minik8s.objects import Object
from minik8s.objects.kinds import KINDS, Kind
from minik8s.wire import Request, Response, StatusError, UserInfo


@dataclass
class Session:
    """What a command is given: the place, where to print, and the words it was called with."""

    place: Place
    namespace: str
    args: Args
    stdin: str = ""
    user: UserInfo = field(default_factory=lambda: ADMIN)
    out: io.StringIO = field(default_factory=io.StringIO)
    err: io.StringIO = field(default_factory=io.StringIO)
    code: int = 0

    def __post_init__(self) -> None:
        self.client = Client(self.handle, actor="kubectl", user=self.user)
        if self.args.get("namespace"):
            self.namespace = self.args.get("namespace")

    def handle(self, request: Request) -> Response:
        """The place's, as the user of `--as`: the server decides what that name may do and which groups it has."""
        if not self.args.get("as"):
            return self.place.handle(request)
        headers = {"impersonate-user": self.args.get("as"), "impersonate-group": "\n".join(self.args.all("as-group"))}
        headers = {name: value for name, value in headers.items() if value}
        return self.place.handle(replace(request, headers={**request.headers, **headers}))

    def print(self, text: str = "") -> None:
        self.out.write(text + "\n")

    def complain(self, error: StatusError | str, prefix: str = "") -> None:
        """Print an error as kubectl words it, and remember that the command failed."""
        self.err.write(worded(error, prefix) + "\n")
        self.code = 1

    # ---- names -------------------------------------------------------------
    def resource(self, word: str) -> str:
        try:
            return refs.resource(word, self.client)
        except ValueError:
            raise UsageError(f'error: the server doesn\'t have a resource type "{word}"') from None

    def kind_of(self, resource: str) -> Kind | None:
        return next((kind for kind in KINDS if kind.resource_name == resource), None)

    def short(self, resource: str) -> str:
        """`deployments.apps` -> `deployment.apps`, as in `deployment.apps/web created`."""
        kind = self.kind_of(resource)
        if kind is None:
            plural, _, group = resource.partition(".")
            return f"{plural.removesuffix('s')}.{group}"
        return f"{kind.singular}.{kind.group}" if kind.group else kind.singular

    def scope(self, resource: str) -> str | None:
        """The namespace that a call on `resource` goes to; None for all of them."""
        return None if self.args.on("all-namespaces") else self.namespace

    def targets(self, words: list[str]) -> list[refs.Ref]:
        """`deploy web`, `deploy/web svc/web`, `deploy,svc` -> references; a name "" means all."""
        if not words:
            return []
        if any("/" in word for word in words):
            pairs = [word.partition("/") for word in words]
            return [refs.Ref(self.resource(kind), name) for kind, _, name in pairs]
        resources = [self.resource(word) for word in words[0].split(",")]
        return [refs.Ref(resource, name) for resource in resources for name in (words[1:] or [""])]

    # ---- the world -----------------------------------------------------------
    def wait(self, test: Callable[[], bool], timeout: float | None) -> bool:
        """Let the cluster live until `test()`; False when `timeout` seconds went by or nothing happens any more."""
        end = self.place.now() + (timeout if timeout is not None else 3600.0)
        while not test():
            if self.place.now() >= end:
                return False
            if not self.place.virtual:
                self.place.sleep(0.2)
            elif not self.place.step():
                return False
        return True

    def table(self, path: str, query: dict[str, list[str]]) -> Object:
        accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
        response = self.handle(
            Request("GET", path, query, {"accept": accept, "user-agent": "kubectl"}, None, self.user, "kubectl")
        )
        if response.status >= 400:
            raise StatusError.from_status(response.body, response.status)
        body: Object = response.body
        return body


def worded(error: StatusError | str, prefix: str = "") -> str:
    """An API error as kubectl prints it (pkg/cmd/util: StandardErrorMessage)."""
    if isinstance(error, str):
        return error
    if error.reason == "Invalid" and error.details and not prefix:
        return _invalid(error)
    if not error.reason or error.reason == "Unknown":
        return f"Error from server: {prefix}{error.message}"
    return f"Error from server ({error.reason}): {prefix}{error.message}"


def _invalid(error: StatusError) -> str:
    details = error.details or {}
    head = f'The {details.get("kind", "")} "{details.get("name", "")}" is invalid'
    causes = [f"{c['field']}: {c['message']}" if c.get("field") else c["message"] for c in details.get("causes") or []]
    if len(causes) == 1:
        return f"{head}: {causes[0]}"
    return "\n".join([f"{head}: ", *(f"* {cause}" for cause in dict.fromkeys(causes))]) if causes else head


def duration(text: str) -> float:
    """Go's durations: `30s`, `1m30s`, `2h`; a bare number is seconds."""
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    total, number = 0.0, ""
    rest = text
    while rest:
        if rest[0].isdigit() or rest[0] in ".-":
            number, rest = number + rest[0], rest[1:]
            continue
        unit = "ms" if rest.startswith("ms") else rest[0]
        if unit not in units or not number:
            raise UsageError(f'error: invalid argument "{text}": time: invalid duration "{text}"')
        total, number, rest = total + float(number) * units[unit], "", rest[len(unit) :]
    return total + (float(number) if number else 0.0)
