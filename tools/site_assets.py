"""Prepares in _build/assets what the pages load: Pyodide, our wheel, PyYAML, fonts, the editor and the live cells.

Everything comes from packages that run.py has installed (npm, PyPI) and from this repository; nothing is fetched here.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import site_assignments

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
ASSETS = BUILD / "assets"
MODULES = ROOT / "node_modules"
LIVE = ROOT / "book" / "_ext" / "live"
SITE_PACKAGES = "lib/python3.14/site-packages/"
# Of grading, a page needs what tries visible checks; what grades, and what knows courses, stays out.
NOT_IN_A_PAGE = re.compile(
    r"\.dist-info/|^minik8s/edge/|^minik8s/grading/(assignment|batch|cli|collect|course|export|feedback|gradebook|judge"
    r"|notebook|options|release|report|similar|variants)\.py"
)
DATA = ("labs/manifests", "book/data")  # files that cells read, at the same relative places
WRITTEN = {".md", ".py", ".js", ".html", ".css", ".yaml", ".yml", ".json"}
EPOCH = (2026, 1, 1, 0, 0, 0)
# Icons of the theme that our templates and CSS use (Font Awesome 6 code points).
ICONS = (
    "f002 f00c f00d f019 f03a f053 f054 f055 f059 f05a f05c f060 f061 f062 f063 f064 f06a f06d f06e f071 f077 f078 "
    "f0c9 f0eb f0f3"
    " f104 f105 f106 f107 f121 f128 f129 f12a f140 f185 f186 f0e2 f042 f303 f04b f04d f02d f19d f0ae f0ad "
    "f08e f35d f057 f058 f059 f010 f00e f14e f5dc f44d f48e f1c9 f4fe f233 f1b2 f1b3"
)


def digest(*paths: Path) -> str:
    total = hashlib.sha256()
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                total.update(file.as_posix().encode() + b"\0" + file.read_bytes())
    return total.hexdigest()


def once(name: str, result: Path, inputs: list[Path], make) -> None:
    """Run `make` only when its inputs (or this file) changed or its result is gone."""
    stamp = BUILD / "stamps" / name
    value = digest(Path(__file__), *inputs)
    if result.exists() and stamp.exists() and stamp.read_text() == value:
        return
    make()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(value)
    print("made", name)


def fill(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


STARTUP = BUILD / "startup-modules.txt"


def compile_python(node: str, mode: str, source: Path, target: Path) -> None:
    command = [node, ROOT / "tools" / "site_compile.mjs", MODULES / "pyodide", mode, source, target, STARTUP]
    subprocess.run([str(part) for part in command], check=True, stdin=subprocess.DEVNULL)


def pyodide(node: str) -> None:
    target = fill(ASSETS / "live" / "pyodide")
    source = MODULES / "pyodide"
    for name in ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm"):
        shutil.copyfile(source / name, target / name)
    compile_python(node, "stdlib", source / "python_stdlib.zip", target / "python_stdlib.zip")
    lock = json.loads((source / "pyodide-lock.json").read_text())
    lock["packages"] = {}
    (target / "pyodide-lock.json").write_text(json.dumps(lock, sort_keys=True))


def write_zip(path: Path, files: dict[str, bytes]) -> None:
    """A zip that is the same byte for byte for the same files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, files[name])


def installed(package: str, prefix: str) -> dict[str, bytes]:
    """The pure-Python files of an installed package."""
    found = {}
    for file in metadata.files(package) or []:
        name = file.as_posix()
        if name.startswith(prefix) and name.endswith(".py"):
            found[name] = Path(str(file.locate())).read_bytes()
    return found


def our_wheel() -> bytes:
    folder = fill(BUILD / "wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, env={**os.environ, "SOURCE_DATE_EPOCH": "1767225600"}, stdin=subprocess.DEVNULL)
    return next(folder.glob("minik8s-*.whl")).read_bytes()


def python_files() -> dict[str, bytes]:
    """What the page's Python imports: our package from its wheel, PyYAML, IPython's printer and our runtime."""
    files: dict[str, bytes] = {}
    with zipfile.ZipFile(io.BytesIO(our_wheel())) as wheel:
        files.update({name: wheel.read(name) for name in wheel.namelist() if not name.endswith("/")})
    files.update(installed("PyYAML", "yaml/"))
    for file in sorted(LIVE.glob("book_*.py")):
        if file.name != "book_kernel.py":
            files[file.name] = file.read_bytes()
    pretty = installed("ipython", "IPython/lib/pretty.py")["IPython/lib/pretty.py"].decode()
    pretty = re.sub(r"^from IPython\.utils.*\n", "", pretty, flags=re.M).replace("@undoc\n", "")
    files["book_pretty.py"] = pretty.encode()
    placed = {SITE_PACKAGES + name: data for name, data in files.items() if not NOT_IN_A_PAGE.search(name)}
    for folder in DATA:
        for extra in sorted((ROOT / folder).rglob("*")):
            if extra.is_file():
                placed[f"home/pyodide/{extra.relative_to(ROOT).as_posix()}"] = extra.read_bytes()
                if folder == "labs/manifests":  # where minik8s.lab looks for the manifests that come with it
                    placed[f"{SITE_PACKAGES}manifests/{extra.relative_to(ROOT / folder).as_posix()}"] = (
                        extra.read_bytes()
                    )
    for name, data in site_assignments.kits().items():
        placed[f"home/pyodide/book/{name}"] = data
    return placed


def python(node: str) -> None:
    target = ASSETS / "live" / "python.tar.xz"
    target.parent.mkdir(parents=True, exist_ok=True)
    source = BUILD / "python-source.zip"
    write_zip(source, python_files())
    compile_python(node, "ours", source, target)


def widgets(node: str) -> None:
    """ipywidgets and what it needs, for pages that use it."""
    files = {}
    for package, prefix in (("ipywidgets", "ipywidgets/"), ("traitlets", "traitlets/"), ("comm", "comm/")):
        files.update(
            {SITE_PACKAGES + name: data for name, data in installed(package, prefix).items() if "/tests/" not in name}
        )
    source = BUILD / "widgets-source.zip"
    write_zip(source, files)
    compile_python(node, "plain", source, ASSETS / "live" / "widgets.tar.xz")


def scripts(node: str) -> None:
    for old in (ASSETS / "live").glob("*.js"):
        old.unlink()
    entries = [str(LIVE / name) for name in ("live.js", "worker.js")]
    command = [
        node,
        str(MODULES / "esbuild" / "bin" / "esbuild"),
        *entries,
        "--bundle",
        "--splitting",
        "--format=esm",
        "--minify",
        "--target=es2022",
        "--legal-comments=none",
        f"--outdir={ASSETS / 'live'}",
        "--charset=utf8",
    ]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, env={**os.environ, "NODE_PATH": str(MODULES)})
    shutil.copyfile(LIVE / "live.css", ASSETS / "live" / "live.css")


def letters() -> str:
    """Every character of the book and of what can speak in it: pages, cells, messages of the engine."""
    found = set(map(chr, range(0x20, 0x7F)))
    for path in (*(ROOT / "book").rglob("*"), *(ROOT / "labs").rglob("*"), ROOT / "_config.yml", ROOT / "_toc.yml"):
        if path.suffix in WRITTEN and path.is_file():
            found.update(path.read_text(encoding="utf-8", errors="ignore"))
    return "".join(sorted(char for char in found if char.isprintable()))


def fonts() -> None:
    """Pretendard in one small file, so that a page needs one request and is laid out once."""
    from fontTools import subset

    target = fill(ASSETS / "fonts")
    package = MODULES / "pretendard" / "dist" / "public"
    text = BUILD / "letters.txt"
    subset.main(
        [
            str(package / "variable" / "PretendardVariable.ttf"),
            f"--text-file={text}",
            "--flavor=woff2",
            f"--output-file={target / 'book.woff2'}",
            "--layout-features=kern,liga,calt,ccmp,locl,mark,mkmk",
            "--no-hinting",
        ]
    )
    licence = MODULES / "pretendard" / "LICENSE"
    if licence.exists():
        shutil.copyfile(licence, target / "LICENSE.txt")
    plots = BUILD / "fonts"
    plots.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(package / "static" / "alternative" / "Pretendard-Regular.ttf", plots / "Pretendard-Regular.ttf")


def icons() -> None:
    import pydata_sphinx_theme
    from fontTools import subset

    theme = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static"
    source = theme / "vendor" / "fontawesome" / "webfonts" / "fa-solid-900.woff2"
    target = ASSETS / "fonts" / "icons.woff2"
    subset.main(
        [
            str(source),
            f"--unicodes={','.join(ICONS.split())}",
            "--flavor=woff2",
            f"--output-file={target}",
            "--no-layout-closure",
            "--drop-tables+=GSUB",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--node", default="node")
    parser.add_argument("--quick", action="store_true", help="Python for the page only when there is none yet")
    options = parser.parse_args()
    node = options.node
    lock = ROOT / "package-lock.json"
    engine = [ROOT / "labs" / "minik8s", ROOT / "labs" / "assignments"]
    sources = [*engine, *(ROOT / folder for folder in DATA), ROOT / "pyproject.toml"]
    compiler = ROOT / "tools" / "site_compile.mjs"
    site_assignments.main()
    BUILD.mkdir(exist_ok=True)
    (BUILD / "letters.txt").write_text(letters(), encoding="utf-8")
    once("fonts", ASSETS / "fonts" / "book.woff2", [lock, BUILD / "letters.txt"], fonts)
    once("icons", ASSETS / "fonts" / "icons.woff2", [lock, ASSETS / "fonts" / "book.woff2"], icons)
    once("scripts", ASSETS / "live" / "live.js", [lock, LIVE], lambda: scripts(node))
    if options.quick and (ASSETS / "live" / "pyodide").exists():
        return
    once("python", ASSETS / "live" / "python.tar.xz", [lock, compiler, *sources, LIVE], lambda: python(node))
    once(
        "widgets",
        ASSETS / "live" / "widgets.tar.xz",
        [lock, compiler, ROOT / "requirements.txt"],
        lambda: widgets(node),
    )
    once("pyodide", ASSETS / "live" / "pyodide", [lock, compiler, STARTUP], lambda: pyodide(node))


if __name__ == "__main__":
    main()
