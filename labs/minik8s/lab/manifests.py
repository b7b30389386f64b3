"""매니페스트 읽기: 파일 이름, YAML 글, 오브젝트 어느 것을 주어도 오브젝트의 목록이 된다."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from minik8s.objects import Object

Source = str | Path | Object | list[Any]

SHIPPED = (Path(__file__).parents[2] / "manifests", Path(__file__).parents[1] / "manifests")
"""Where the labs' own manifests are: in a checkout, and in an installed wheel."""


def load(source: Source) -> list[Object]:
    """Objects of a file, a folder, a YAML text, an object, or a list of these. ValueError in Korean when it is none."""
    if isinstance(source, dict):
        return [source]
    if isinstance(source, list):
        return [obj for part in source for obj in load(part)]
    if "\n" in str(source) or (not str(source).endswith((".yaml", ".yml", ".json", "/")) and not Path(source).exists()):
        return _flatten(parse(str(source)))
    path = locate(source)
    if path.is_dir():
        files = sorted(p for p in path.iterdir() if p.suffix in {".yaml", ".yml", ".json"})
        return [obj for file in files for obj in load(file)]
    return _flatten(parse(path.read_text(encoding="utf-8")))


def parse(text: str) -> list[Object]:
    """The documents of a YAML text that are objects. ValueError in Korean with the line of a mistake."""
    try:
        documents = [document for document in yaml.safe_load_all(text) if document is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{mark.line + 1}번째 줄 {mark.column + 1}번째 글자" if mark else "어딘가"
        hint = "들여쓰기와 콜론 뒤의 빈칸을 살펴보자."
        raise ValueError(f"YAML을 읽을 수 없다: {where}에서 {error.problem}. {hint}") from None
    for document in documents:
        if not isinstance(document, dict) or "kind" not in document or "apiVersion" not in document:
            raise ValueError("매니페스트가 아니다: apiVersion과 kind가 있는 YAML이거나, 있는 파일의 이름이어야 한다.")
    return documents


def locate(name: str | Path) -> Path:
    """The file or folder of this name: as given, or among the shipped ones. FileNotFoundError in Korean."""
    tail = str(name).removeprefix("manifests/")
    for candidate in (Path(name), *(folder / tail for folder in SHIPPED)):
        if candidate.exists():
            return candidate
    raise FileNotFoundError(f"{name} 파일이 없다. 지금 폴더와 labs/manifests를 찾아보았다.")


def _flatten(documents: list[Object]) -> list[Object]:
    return [obj for doc in documents for obj in (doc.get("items", []) if doc["kind"] == "List" else [doc])]
