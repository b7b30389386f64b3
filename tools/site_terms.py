"""용어와 문체 검사: 책과 실습의 한국어 문장이 우리 용어표와 평어체를 따르는지 본다.

    python tools/site_terms.py [파일 ...]      인자가 없으면 book/과 labs/ 전부

Spellings follow the Kubernetes project's Korean localization guide (kubernetes/website, localization_ko.md).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Problem(NamedTuple):
    file: Path
    line: int
    text: str

    def __str__(self) -> str:
        file = self.file.relative_to(ROOT) if self.file.is_relative_to(ROOT) else self.file
        return f"{file}:{self.line}: {self.text}"


# Wrong spelling (a pattern) -> right one. `(?<![가-힣])` keeps a match at the start of a word.
SPELLINGS = {
    r"(?<![가-힣])포드(?!랜드|카)": "파드",
    r"디렉토리": "디렉터리",
    r"마스터 ?노드": "컨트롤 플레인 노드",
    r"콘트롤|컨트롤플레인": "컨트롤 플레인",
    r"자동화된 복구|자가 ?복구|셀프 ?힐링": "자가 치유",
    r"(?<![가-힣])라벨": "레이블",
    r"어플리케이션": "애플리케이션",
    r"리플리카|레플리케이션(?!컨트롤러)": "레플리카",
    r"디플로이 ?먼트": "디플로이먼트",
    r"레플리카 셋": "레플리카셋",
    r"데몬 셋|대몬": "데몬셋",
    r"스테이트풀 셋|스테이트 풀": "스테이트풀셋",
    r"컨피그 맵": "컨피그맵",
    r"네임 스페이스": "네임스페이스",
    r"크론 잡": "크론잡",
    r"인그래스": "인그레스",
    r"엔드 포인트": "엔드포인트",
    r"엔드포인트 슬라이스": "엔드포인트슬라이스",
    r"서비스 어카운트|서비스 계정": "서비스어카운트",
    r"네트워크 폴리시|네트워크 정책": "네트워크폴리시",
    r"퍼시스턴트 볼륨|영구 볼륨": "퍼시스턴트볼륨",
    r"스토리지 클래스": "스토리지클래스",
    r"리소스 쿼터": "리소스쿼터",
    r"톨러레이션즈|톨러런스": "톨러레이션",
    r"테인츠": "테인트",
    r"어노테이트|주석 ?\(annotation": "어노테이션",
    r"쉘(?= |을|에|이|스크립트)": "셸",
    r"메니페스트|메니패스트|매니패스트": "매니페스트",
    r"롤 ?바인딩즈": "롤바인딩",
    r"롤링 ?업뎃|순차 업데이트": "롤링 업데이트",
    r"카나리아": "카나리",
    r"로드 ?발란|로드벨런": "로드 밸런싱",
    r"컨테이너 런 타임": "컨테이너 런타임",
    r"파이널라이져|최종 처리자": "파이널라이저",
    r"리포지토리|레포지토리": "저장소",
    r"메세지": "메시지",
    r"스케쥴": "스케줄",
    r"되여|되요\b|됬": "돼/되어",
    r"초기화된 컨테이너|이닛 컨테이너": "초기화 컨테이너",
    r"레디니스|라이브니스|라이브네스": "준비성/활성 프로브",
}

# Transliterated kinds: the English in brackets at the first use in a chapter; never after 파드 and 서비스.
KINDS = {
    "디플로이먼트": "Deployment",
    "레플리카셋": "ReplicaSet",
    "스테이트풀셋": "StatefulSet",
    "데몬셋": "DaemonSet",
    "크론잡": "CronJob",
    "컨피그맵": "ConfigMap",
    "시크릿": "Secret",
    "인그레스": "Ingress",
    "네트워크폴리시": "NetworkPolicy",
    "퍼시스턴트볼륨클레임": "PersistentVolumeClaim",
    "퍼시스턴트볼륨": "PersistentVolume",
    "스토리지클래스": "StorageClass",
    "리소스쿼터": "ResourceQuota",
    "리밋레인지": "LimitRange",
    "서비스어카운트": "ServiceAccount",
    "엔드포인트슬라이스": "EndpointSlice",
    "롤바인딩": "RoleBinding",
    "클러스터롤": "ClusterRole",
    "프라이어리티클래스": "PriorityClass",
    "런타임클래스": "RuntimeClass",
    "커스텀리소스데피니션": "CustomResourceDefinition",
}
POLITE_WORDS = re.compile(r"[가-힣](세요|십시오|시오|군요|네요|나요|까요|어요|아요|해요|에요|예요|지요|죠)(?![가-힣])")
QUOTED = re.compile(r"“[^”]*”|‘[^’]*’|「[^」]*」|\"[^\"]*\"")
FENCE = re.compile(r"^\s*(`{3,}|~{3,}|:{3,})\s*(\{[\w-]+\})?(.*)$")
# Fences whose body is prose; every other backtick fence holds code.
PROSE = {
    "note",
    "tip",
    "warning",
    "important",
    "admonition",
    "seealso",
    "dropdown",
    "reveal",
    "clue",
    "goals",
    "predict",
    "misconception",
    "summary",
    "realcluster",
    "story",
    "exercise",
    "exercise-start",
    "solution",
    "solution-start",
    "quiz",
    "glossary",
    "grid",
    "grid-item-card",
    "card",
    "tab-set",
    "tab-item",
    "list-table",
    "table",
    "margin",
}


def clean(line: str) -> str:
    """A line of prose without roles, code, links' targets and markup."""
    line = re.sub(r"\{[\w:.-]+\}`([^`<]*?)\s*(?:<[^`]*>)?`", r"\1", line)
    line = re.sub(r"`+[^`]*`+", "", line)
    line = re.sub(r"\]\([^)]*\)", "]", line)
    line = re.sub(r"https?://\S+|<[^>]+>", "", line)
    return line.replace("**", "").replace("*", "")


def prose(text: str) -> Iterator[tuple[int, str]]:
    """The numbered prose lines of a MyST page."""
    lines = text.splitlines()
    start = 0
    if lines and lines[0].strip() == "---":
        start = next((i + 1 for i, line in enumerate(lines[1:], 1) if line.strip() == "---"), 0)
    code: str | None = None
    comment = False
    for number, line in enumerate(lines[start:], start + 1):
        if comment or line.lstrip().startswith("<!--"):
            comment = "-->" not in line
            continue
        fence = FENCE.match(line)
        if code:
            if fence and fence[1].startswith(code) and not fence[3].strip() and not fence[2]:
                code = None
            continue
        if fence:
            name = (fence[2] or "").strip("{}")
            if fence[1][0] != ":" and (name not in PROSE) and (name or fence[3].strip() or not name):
                closing = not name and not fence[3].strip() and not _opens(lines, number)
                code = None if closing else fence[1]
            elif name in PROSE and fence[3].strip():
                yield number, clean(fence[3])
            continue
        if re.match(r"^\s*:[\w-]+:", line) or (line.lstrip().startswith(("%", "(")) and line.rstrip().endswith(")=")):
            continue
        yield number, clean(line)


def _opens(lines: list[str], number: int) -> bool:
    """Whether a bare backtick fence opens a block (it closes one if a prose directive fence is still open)."""
    depth: list[str] = []
    for line in lines[: number - 1]:
        fence = FENCE.match(line)
        if not fence or fence[1][0] == ":":
            continue
        if depth and not fence[2] and not fence[3].strip() and len(fence[1]) >= len(depth[-1]):
            depth.pop()
        else:
            depth.append(fence[1])
    return not depth


def polite(line: str) -> str | None:
    """A polite ending (-습니다, -세요, -해요) outside quotation marks."""
    for found in re.finditer(r"([가-힣])니(다|까)(?![가-힣])", line):
        if (ord(found[1]) - 0xAC00) % 28 == 17:  # the syllable ends in ㅂ
            return found[0]
    word = POLITE_WORDS.search(line)
    return word[0] if word else None


def check_page(file: Path) -> list[Problem]:
    problems = []
    seen: set[str] = set()
    chapter = file.parent == ROOT / "book" and re.match(r"\d\d-", file.name) is not None
    for number, raw in prose(file.read_text(encoding="utf-8")):
        line = QUOTED.sub("", raw)
        problems += [Problem(file, number, f"{word} → {right}") for word, right in spelling(line)]
        if ending := polite(line):
            problems.append(Problem(file, number, f"평어체가 아니다: …{ending}"))
        for name in re.finditer(r"(파드|서비스)\((Pod|Service)s?\)", line):
            problems.append(Problem(file, number, f"{name[1]} 뒤에는 영어를 적지 않는다"))
        if chapter and not raw.lstrip().startswith(("#", "|")):
            problems += first_uses(file, number, raw, seen)
    return problems


def spelling(line: str) -> Iterator[tuple[str, str]]:
    for wrong, right in SPELLINGS.items():
        for found in re.finditer(wrong, line):
            if found[0] not in right:
                yield found[0], right


def first_uses(file: Path, number: int, line: str, seen: set[str]) -> list[Problem]:
    problems = []
    for korean, english in sorted(KINDS.items(), key=lambda pair: -len(pair[0])):
        if korean in seen or korean not in line:
            continue
        found = re.search(rf"(?<![가-힣]){korean}(?!클레임|바인딩)\]?(\(.{{0,3}}{english}[^)]*\))?", line)
        if not found:
            continue
        seen.add(korean)
        if not found[1]:
            problems.append(Problem(file, number, f"장에서 처음 나온 {korean}: {korean}({english})로 적는다"))
    return problems


def check_source(file: Path) -> list[Problem]:
    """Spellings in the Korean strings and comments of a program or manifest."""
    problems = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if re.search(r"[가-힣]", line):
            problems += [Problem(file, number, f"{word} → {right}") for word, right in spelling(line)]
    return problems


def pages() -> list[Path]:
    files = sorted([*(ROOT / "book").rglob("*.md"), *(ROOT / "labs").rglob("*.md"), *ROOT.glob("*.md")])
    return [file for file in files if not {"_ext", "_templates", ".ipynb_checkpoints"} & set(file.parts)]


def sources() -> list[Path]:
    own = {"objects", "apiserver", "controllers", "kubelet"}
    return [file for file in sorted((ROOT / "labs").rglob("*.py")) if not own & set(file.parts)]


def check(files: list[Path]) -> list[Problem]:
    return [problem for file in files for problem in (check_page if file.suffix == ".md" else check_source)(file)]


def main() -> int:
    files = [Path(name).resolve() for name in sys.argv[1:]] or [*pages(), *sources()]
    problems = check(files)
    for problem in problems:
        print(problem)
    print(f"{len(files)}개 파일, 고칠 곳 {len(problems)}개")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
