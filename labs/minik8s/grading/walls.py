"""The command that puts a program into the box: bubblewrap's options, and what can be seen inside.

Works from any place: the checkout, the virtual environment and Python itself may be below /tmp, /root or a path with
spaces, and appear inside at fixed places. Only options of bubblewrap 0.4 (Debian 11, Ubuntu 20.04) are used.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from functools import lru_cache
from pathlib import Path

import yaml

PACKAGE = Path(os.path.realpath(__file__)).parents[1]
PYTHON, BOX, HELPERS = "/python", "/box", "/helpers"
LIBRARIES = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache")
NOBODY = 65534
ENVIRONMENT = {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1", "LD_LIBRARY_PATH": f"{PYTHON}/lib", "PATH": f"{PYTHON}/bin"}
INSTALL = "bubblewrap이 없다. 데비안·우분투라면 `apt install bubblewrap`을 먼저 실행하자."

# Gives root up, then becomes the program that follows. Python does it, so that nothing else (setpriv) is needed.
_GIVE_UP = (
    "import os,sys;"
    f"os.setgroups([]);os.setresgid({NOBODY},{NOBODY},{NOBODY});os.setresuid({NOBODY},{NOBODY},{NOBODY});"
    "os.execv(sys.argv[1],sys.argv[1:])"
)


class NoSandbox(RuntimeError):
    """There is no bubblewrap here."""


def command(filter: int | None = None) -> list[str]:
    """The command up to the arguments of the Python that runs in the box. `filter`: a seccomp program's descriptor."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise NoSandbox(INSTALL)
    apart = ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "box"]
    apart += ["--seccomp", str(filter)] if filter is not None else []
    python = [f"{PYTHON}/bin/{_python().name}", "-I", "-S", "-B"]
    if os.geteuid() != 0:
        return [bwrap, *apart, *_view(), "--chdir", "/", "--remount-ro", "/", "--", *python]
    # Root may read what an unprivileged user cannot reach, so the view is laid out first; then root is given up for
    # good, and a second bubblewrap makes the namespaces as an unprivileged user's.
    # The outer one has process ids of its own, too: it may not signal nobody's processes, so "die with parent" would
    # stop at it, but a namespace's end takes everybody along.
    outer = [bwrap, "--die-with-parent", "--unshare-pid", *_view(),
             "--ro-bind", os.path.realpath(bwrap), f"{HELPERS}/bwrap",
             "--dir", "/tmp", "--proc", "/proc", "--chdir", "/",
             "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--"]
    inner = [f"{HELPERS}/bwrap", *apart, "--ro-bind", "/", "/", "--dev-bind", "/dev/null", "/dev/null",
             *_nothing("/proc"), *_nothing(HELPERS), "--chdir", "/", "--"]
    return [*outer, *python, "-c", _GIVE_UP, *inner, *python]


def _view() -> list[str]:
    """All that can be seen inside, read-only: libraries, Python, PyYAML, minik8s without its grading part."""
    base = Path(os.path.realpath(sys.base_prefix))
    trees = [(path, path) for path in LIBRARIES]
    trees += [(str(base / name), f"{PYTHON}/{name}") for name in sorted({"lib", sys.platlibdir})]
    # Folders that bubblewrap makes on the way to a file belong to root alone; these are for everybody.
    out = [word for path in ("/usr", "/etc", "/dev", PYTHON, f"{PYTHON}/bin", BOX, HELPERS) for word in ("--dir", path)]
    for source, target in trees:
        out += ["--ro-bind-try", source, target]
    out += ["--ro-bind", str(_python()), f"{PYTHON}/bin/{_python().name}"]
    for place in _covered(trees):
        out += _nothing(place)
    out += ["--ro-bind", str(PACKAGE), f"{BOX}/minik8s", *_nothing(f"{BOX}/minik8s/grading")]
    if (PACKAGE / "assignments").is_dir():
        out += _nothing(f"{BOX}/minik8s/assignments")
    out += ["--ro-bind", str(Path(os.path.realpath(yaml.__file__)).parent), f"{BOX}/yaml"]
    out += ["--ro-bind", str(PACKAGE / "grading" / "runner.py"), f"{BOX}/runner.py"]
    return [*out, "--dev-bind", "/dev/null", "/dev/null"]


def _nothing(place: str) -> list[str]:
    """An empty folder in a place that has something, or would."""
    return ["--tmpfs", place, "--remount-ro", place]


@lru_cache
def _python() -> Path:
    """The interpreter itself, not a virtual environment's link to it or copy of it."""
    base = Path(os.path.realpath(sys.base_prefix))
    names = [f"python{sys.version_info[0]}.{sys.version_info[1]}{sys.abiflags}", "python3", "python"]
    mine = [Path(os.path.realpath(getattr(sys, "_base_executable", "") or sys.executable))]
    for path in [Path(os.path.realpath(base / "bin" / name)) for name in names] + mine:
        if path.is_file():
            return path
    raise NoSandbox(f"{base}에서 파이썬 실행 파일을 찾지 못했다.")


def _covered(trees: list[tuple[str, str]]) -> list[str]:
    """Places inside the trees that hold installed packages (minik8s with its checks may be one) or this checkout."""
    hidden = {PACKAGE, Path(os.path.realpath(sysconfig.get_path("purelib")))}
    if PACKAGE.parent.name == "labs":
        hidden.add(PACKAGE.parents[1])
    out = []
    for source, target in trees:
        real = Path(os.path.realpath(source))
        candidates = {*hidden, *real.glob("python*/*-packages")}
        found = sorted(p for p in candidates if p.is_relative_to(real) and p != real and p.is_dir())
        top = [p for p in found if not any(p != q and p.is_relative_to(q) for q in found)]
        out += [os.path.join(target, p.relative_to(real)) for p in top]
    return list(dict.fromkeys(out))


@lru_cache
def refusal() -> str:
    """Why no box can be made on this machine, in Korean; "" when it can. bubblewrap may be there, but not allowed."""
    try:
        done = subprocess.run([*command(), "-c", "print('in')"], env=ENVIRONMENT, cwd="/", stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=60, check=False)
    except NoSandbox as error:
        return str(error)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap을 실행하지 못했다: {error}"
    if done.stdout.strip() == b"in":
        return ""
    said = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["까닭을 말하지 않았다"])[-1]
    return (f"bubblewrap이 울타리를 치지 못했다({said}). 컨테이너 안이라면 사용자 네임스페이스를 허락하고"
            "(deploy/jupyterhub/README.md의 `채점`), 우분투 24.04라면 AppArmor가 막는지 살피자.")
