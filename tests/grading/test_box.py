"""The box: nothing gets in or out, wherever the project stands and whoever grades."""

import contextlib
import os
import pwd
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import yaml

from grading.conftest import needs_box
from minik8s.grading import cgroup, syscalls, walls
from minik8s.grading.sandbox import Box, BoxDied, BoxError

LIBC = "__import__('ctypes').CDLL(None, use_errno=True)"
CLOSED = {
    "a connection": "__import__('socket').create_connection(('127.0.0.1', 22), 2)",
    "an abstract socket": "__import__('socket').socket(1).connect('\\0x')",
    "a pair of sockets": "__import__('socket').socketpair()",
    "a file": "open('/tmp/x', 'w')",
    "a file in /proc": "open('/proc/x', 'w')",
    "a home": "__import__('os').listdir('/home')",
    "users": "open('/etc/passwd').read()",
    "memory of its own process": "open('/proc/self/mem')",
    "descriptors by name": "__import__('os').listdir('/proc/self/fd')",
    "a process": "__import__('os').fork()",
    "another program": "__import__('subprocess').run(['/python/bin/python3', '-c', ''])",
    "a spawned program": "__import__('os').posix_spawn('/usr/bin/id', ['id'], {})",
    "a thread": "__import__('threading').Thread(target=print).start()",
    "shared memory": "open('/dev/shm/x', 'w')",
    "memory with a name": "__import__('os').memfd_create('x')",
    "a disk": "open('/dev/sda', 'rb')",
    "a node": "__import__('os').mknod('/dev/x', 0o20666, 0x103)",
    "a pipe with a name": "__import__('os').mkfifo('/dev/x')",
    "a link": "__import__('os').symlink('/', '/dev/x')",
    "many files": "[open(f'/dev/{n}', 'x') for n in range(10**6)]",
    "its own package": "open('/box/minik8s/__init__.py', 'a')",
    "root": "__import__('os').setuid(0)",
    "a group": "__import__('os').setgroups([0])",
    "another root": "__import__('os').chroot('/usr')",
    "a dump": "__import__('resource').setrlimit(4, (-1, -1))",
    "more processes": "__import__('resource').setrlimit(6, (100, 100))",
    "more time": "__import__('resource').setrlimit(0, (-1, -1))",
    "a higher priority": "__import__('os').nice(-5)",
}
CALLS = {
    "umount2": "b'/usr', 2",
    "mount": "b'x', b'/usr', b'tmpfs', 0, None",
    "unshare": "0x10000000",
    "ptrace": "0, 0, 0, 0",
    "setns": "0, 0",
    "msgget": "0, 0o1600",
    "shmget": "0, 4096, 0o1600",
    "semget": "0, 1, 0o1600",
    "personality": "0xffffffff",
}


@needs_box
def test_the_box_is_closed() -> None:
    with Box(cpu=10, wall=60) as box:
        box.load("def reach(what): return repr(eval(what))")
        for name, what in CLOSED.items():
            with pytest.raises(BoxError):
                pytest.fail(f"{name}: {box.call('reach', what)}")
        for name, arguments in CALLS.items():
            assert box.call("reach", f"{LIBC}.{name}({arguments})") == "-1", name


@needs_box
@pytest.mark.skipif(not syscalls.program(), reason="이 기계의 시스템 콜 번호를 모른다")
@pytest.mark.parametrize(
    "name", ["keyctl", "add_key", "userfaultfd", "io_uring_setup", "bpf", "process_vm_readv", "memfd_secret"]
)
def test_a_denied_call_is_refused_by_the_filter(name: str) -> None:
    column = {"x86_64": 0, "aarch64": 1}[os.uname().machine]
    with Box(cpu=2, wall=20) as box:
        box.load(
            f"import ctypes\nc = ctypes.CDLL(None, use_errno=True)\n"
            f"def ask(): return [c.syscall({syscalls.DENIED[name][column]}, 0, 0, 0, 0, 0), ctypes.get_errno()]"
        )
        assert box.call("ask") == [-1, 1]


@needs_box
def test_nothing_of_ours_is_in_the_box() -> None:
    with Box(cpu=5, wall=20) as box:
        box.load(
            "import os, glob\ndef look(): return [os.getuid(), sorted(os.environ), sorted(os.listdir('/')),"
            " os.listdir('/box/minik8s/grading'), glob.glob('/box/**/rubric.yaml', recursive=True)"
            " + glob.glob('/python/lib/*/*-packages/*') + glob.glob('/usr/lib/*/*-packages/*'),"
            " [n for n in range(32) if os.path.exists(f'/proc/{n}')], open('/dev/null').read()]"
        )
        uid, environment, root, grading, ours, processes, nothing = box.call("look")
    assert uid != 0
    assert not {"HOME", "USER", "PYTHONPATH"} & set(environment)
    assert set(root) <= {"box", "dev", "etc", "helpers", "lib", "lib64", "proc", "python", "tmp", "usr"}
    assert grading == ours == processes == [] and nothing == ""


@needs_box
def test_a_box_that_sleeps_is_ended_by_the_wall_clock() -> None:
    with Box(wall=0.5) as box, pytest.raises(BoxDied):
        box.load("import time\ntime.sleep(1000)")
    assert not _session(box._process.pid)


@needs_box
def test_a_box_ends_with_its_grader() -> None:
    code = (
        "from minik8s.grading.sandbox import Box\nbox = Box()\nbox.load('')\nprint(box._process.pid, flush=True)\n"
        "box.load('import time; time.sleep(1000)')"
    )
    labs = str(Path(__file__).parents[2] / "labs")
    grader = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": labs}
    )
    assert grader.stdout is not None
    box = int(grader.stdout.readline())
    assert _members(box)
    grader.kill()
    grader.communicate()
    assert not _session(box)


@needs_box
def test_a_box_that_is_given_up_while_its_walls_go_up_leaves_nothing() -> None:
    for _ in range(5):
        box = Box()
        box.close()
        assert not _session(box._process.pid)


@needs_box
def test_what_the_grader_itself_takes_does_not_count_for_the_wall_clock() -> None:
    with Box(wall=0.5) as box:
        box.load("def f(): return 1")
        time.sleep(0.6)
        assert box.call("f") == 1


@needs_box
def test_a_box_takes_all_its_processes_along() -> None:
    with Box() as box:
        box.load("pass")
        inside = _descendants(box._process.pid)
        assert inside
    assert not [pid for pid in inside if _alive(pid)]


def _session(number: int) -> list[int]:
    """Processes of the session that a box was started in, bubblewrap's own among them, after the kernel's moment."""
    end = time.monotonic() + 10
    while (found := _members(number)) and time.monotonic() < end:
        time.sleep(0.02)
    return found


def _members(number: int) -> list[int]:
    found: list[int] = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(ProcessLookupError):
            found += [int(name)] if os.getsid(int(name)) == number else []
    return found


def _descendants(root: int) -> list[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]


def _alive(pid: int) -> bool:
    for _ in range(200):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return False
        except OSError:
            return False
        os.sched_yield()
    return True


@needs_box
@pytest.mark.parametrize("place", ["x y/한글", "quote' \"&;$(id)", "-dash/--ro-bind"])
def test_the_checkout_may_stand_anywhere(tmp_path: Path, place: str) -> None:
    """Below /tmp, too: pytest's own folder is there."""
    home = tmp_path / place
    shutil.copytree(walls.PACKAGE, home / "labs" / "minik8s", ignore=shutil.ignore_patterns("__pycache__", "data"))
    assert _grades(home / "labs", [sys.executable]) == "[{'a': 1}]"


@needs_box
@pytest.mark.skipif(os.geteuid() != 0, reason="다른 사용자가 되려면 root여야 한다")
def test_an_unprivileged_user_gets_a_box_at_once(tmp_path: Path) -> None:
    """Root grades through a second bubblewrap; here nobody grades, from a copy that nobody may read."""
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    if python is None:
        pytest.skip("다른 사용자도 쓸 수 있는 파이썬이 /usr에 없다")
    for folder in (tmp_path, *tmp_path.parents):
        if (
            folder.owner() == "root"
            and folder.is_relative_to(tempfile.gettempdir())
            and not folder.samefile(tempfile.gettempdir())
        ):
            folder.chmod(0o755)
    shutil.copytree(walls.PACKAGE, tmp_path / "minik8s", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(Path(yaml.__file__).parent, tmp_path / "yaml", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    assert _grades(tmp_path, [python], user=pwd.getpwnam("nobody").pw_uid) == "[{'a': 1}]"


def _grades(path: Path, command: list[str], user: int | None = None) -> str:
    code = "from minik8s.grading.sandbox import Box\nwith Box() as box: print(box.yaml('a: 1'))"
    environment = {"PYTHONPATH": os.pathsep.join([str(path), *([] if user else [str(Path(yaml.__file__).parents[1])])])}
    done = subprocess.run(
        [*command, "-B", "-c", code],
        env=environment,
        cwd="/",
        user=user,
        capture_output=True,
        text=True,
        extra_groups=[] if user else None,
    )
    return done.stdout.strip() or done.stderr


def test_only_options_of_an_old_bubblewrap_are_used() -> None:
    """0.4 is Debian 11's and Ubuntu 20.04's; its manual lists these among others."""
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap이 없다")
    known = {
        "--unshare-all",
        "--die-with-parent",
        "--new-session",
        "--cap-drop",
        "--cap-add",
        "--hostname",
        "--seccomp",
        "--ro-bind",
        "--ro-bind-try",
        "--dev-bind",
        "--dir",
        "--tmpfs",
        "--remount-ro",
        "--chdir",
        "--",
        "--unshare-pid",
        "--proc",
    }
    assert {word for word in walls.command(3) if word.startswith("--")} <= known


def test_without_bubblewrap_the_refusal_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt install bubblewrap" in walls.refusal.__wrapped__()


@pytest.mark.skipif(os.name != "posix", reason="POSIX의 실행 파일")
def test_a_bubblewrap_that_may_not_make_namespaces_is_reported_with_its_own_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    words = "bwrap: Creating new namespace failed: Operation not permitted"
    (tmp_path / "bwrap").write_text(f"#!/bin/sh\necho '{words}' >&2\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert words in walls.refusal.__wrapped__() and "사용자 네임스페이스" in walls.refusal.__wrapped__()


# ---- control groups: version 1 and 2 as the kernel's files describe them ----------------------------------------

V1 = "36 31 0:33 / {}/memory rw - cgroup cgroup rw,memory\n40 31 0:37 / {}/pids rw - cgroup cgroup rw,pids\n"
V2 = "30 23 0:26 / {} rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"


def test_version_2_uses_the_nearest_group_that_passes_its_controllers_on(tmp_path: Path) -> None:
    own = tmp_path / "user.slice" / "session.scope"
    own.mkdir(parents=True)
    (own / "cgroup.subtree_control").write_text("")
    (own.parent / "cgroup.subtree_control").write_text("cpu memory pids\n")
    (tmp_path / "mounts").write_text(V2.format(tmp_path))
    (tmp_path / "own").write_text("0::/user.slice/session.scope\n")
    ((folder, limits),) = cgroup._places(1000, tmp_path / "mounts", tmp_path / "own")
    assert folder == own.parent and limits == {
        "memory.max": "1000",
        "memory.swap.max": "0",
        "pids.max": str(cgroup.PIDS),
    }


def test_version_1_has_a_folder_for_each_controller(tmp_path: Path) -> None:
    (tmp_path / "mounts").write_text(V1.format(tmp_path, tmp_path))
    (tmp_path / "own").write_text("8:pids:/\n4:memory:/jobs/17\n0::/\n")
    found = dict(cgroup._places(1000, tmp_path / "mounts", tmp_path / "own"))
    assert found == {
        tmp_path / "memory/jobs/17": {"memory.limit_in_bytes": "1000"},
        tmp_path / "pids": {"pids.max": str(cgroup.PIDS)},
    }


@needs_box
def test_where_groups_may_be_made_the_box_is_in_one_and_leaves_none() -> None:
    with Box() as box:
        box.load("pass")
        group = box._group
        if group is None:
            assert cgroup.make(1 << 29) is None
            return
        assert all(len(door.read_text().split()) >= 2 for door in group.doors)
    assert not [folder for folder in group.folders if folder.exists()]


def test_the_filter_is_whole() -> None:
    for machine in ("x86_64", "aarch64"):
        steps = list(struct.iter_unpack("=HBBI", syscalls.program(machine)))
        ends = [index for index, step in enumerate(steps) if step[0] == 0x06]
        assert ends[-1] == len(steps) - 1 and steps[-1][3] == 0x7FFF0000
        assert all(
            index + 1 + max(step[1], step[2]) < len(steps) for index, step in enumerate(steps) if step[0] & 7 == 5
        )
    assert syscalls.program("riscv64") == b""
