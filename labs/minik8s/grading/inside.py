"""Checks in the learner's own process, a notebook or the page: no process can be started, and nothing is at stake."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from minik8s.grading import runner
from minik8s.grading.case import Case, Failed, unfit
from minik8s.grading.sandbox import STUDENT, BoxError
from minik8s.wire import Request, StatusError


class Here:
    """What a Box does, without walls. Values cross as JSON here too, so that what works here works there."""

    waited = 0.0

    def __init__(self, handle: Any = None):
        self._handle, self._space, self.writes = handle, dict[str, Any](__name__="answer"), 0

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._space.clear()

    def yaml(self, text: str) -> Any:
        return self._do({"op": "yaml", "text": text})

    def load(self, text: str) -> None:
        self._do({"op": "exec", "text": text})

    def call(self, name: str, *args: Any) -> Any:
        return self._do({"op": "call", "name": name, "args": json.loads(json.dumps(list(args)))})

    def _do(self, message: dict[str, Any]) -> Any:
        try:
            return json.loads(json.dumps(runner.do(message, self._space, _Line(self)), default=str))
        except Exception as error:
            raise BoxError(runner.describe(error)) from None

    def serve(self, question: dict[str, Any]) -> dict[str, Any]:
        self.writes += question["method"] != "GET"
        response = self._handle(Request(**question, user=STUDENT))
        return {"status": response.status, "body": response.body}


class _Line(runner.Talk):
    """The pipe's stand-in: a question is answered at once."""

    def __init__(self, box: Here):
        self._box, self._answer = box, dict[str, Any]()

    def send(self, message: dict[str, Any]) -> None:
        self._answer = {"response": self._box.serve(message["api"])}

    def receive(self) -> dict[str, Any]:
        return self._answer


def judge(
    function: Callable[[Case], None],
    needs: Iterable[str],
    answers: Mapping[str, str],
    kinds: Mapping[str, str],
    values: Mapping[str, Any],
    allows: Collection[str] = (),
) -> str:
    """"" when the check holds, or why not, in Korean."""
    case = Case(answers, kinds, values, Here, allows)  # type: ignore[arg-type]
    try:
        for name in needs:
            case.text(name)
        function(case)
        return ""
    except (Failed, BoxError) as error:
        return str(error)
    except StatusError as error:
        return f"API 서버가 거절했다: {error.message}"
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        return unfit(error)
    finally:
        case.close()
