"""컨테이너를 손으로 만든다: 리눅스 커널과 파이썬 표준 라이브러리만으로.

쓰는 법(리눅스, root가 아니어도 된다):  python3 labs/containers/tiny.py sh -c 'hostname; ps; ls /'

A container in the sense of this file is a process that (1) lives in namespaces of its own and (2) sees another
root directory. What real runtimes do besides (cgroups, seccomp, dropping capabilities, pivot_root instead of chroot,
a network) is left out to keep it short. Nothing outside of the new namespaces is changed.
"""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
from collections.abc import Callable

NEW = {
    "mnt": 0x00020000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "net": 0x40000000,
}
"""The CLONE_NEW… flags of unshare(2)."""

BIND, RECURSIVE, PRIVATE, REMOUNT, READ_ONLY = 0x1000, 0x4000, 0x40000, 0x20, 0x1
HOST_DIRECTORIES = ("usr", "bin", "sbin", "lib", "lib64")

libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    """OSError with the kernel's reason when a call of libc failed."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source: str, target: str, kind: str = "", flags: int = 0) -> None:
    check(libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), None), f"mount {target}")


def new_namespaces() -> None:
    """새 네임스페이스로 옮겨 간다. 안에서는 root, 밖에서는 그대로다."""
    uid, gid = os.getuid(), os.getgid()
    check(libc.unshare(sum(NEW.values())), "unshare")
    maps = {"setgroups": "deny", "uid_map": f"0 {uid} 1", "gid_map": f"0 {gid} 1"}
    for name, line in maps.items():
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(line)


def new_root(root: str) -> None:
    """메모리에 빈 루트를 만들고 호스트의 프로그램을 읽기 전용으로 얹는다."""
    mount("none", "/", flags=RECURSIVE | PRIVATE)
    mount("tmpfs", root, "tmpfs")
    for name in HOST_DIRECTORIES:
        outside, inside = f"/{name}", f"{root}/{name}"
        if os.path.islink(outside):
            os.symlink(os.readlink(outside), inside)
        elif os.path.isdir(outside):
            os.mkdir(inside)
            mount(outside, inside, flags=BIND | RECURSIVE)
            mount(outside, inside, flags=BIND | REMOUNT | READ_ONLY)
    os.mkdir(f"{root}/proc")
    mount("proc", f"{root}/proc", "proc")
    os.chroot(root)
    os.chdir("/")


def inside(root: str, command: list[str]) -> None:
    """새 PID 네임스페이스의 첫 프로세스, 곧 1번이 하는 일."""
    new_root(root)
    check(libc.sethostname(b"tiny", 4), "sethostname")
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/"}
    os.execvpe(command[0], command, environment)


def outside(root: str, command: list[str]) -> int:
    """Only children that are born after unshare(2) are in the new PID namespace, so one more fork."""
    new_namespaces()
    return forked(lambda: inside(root, command))


def forked(work: Callable[[], int | None]) -> int:
    """The exit code of `work` in a child process; 125 when it could not be done."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        os._exit(work() or 0)
    except OSError as error:
        print(f"컨테이너를 만들지 못했다: {error}", file=sys.stderr)
        print("리눅스인지, 사용자 네임스페이스가 켜져 있는지 살피자.", file=sys.stderr)
    os._exit(125)


def run(command: list[str]) -> int:
    """The exit code of `command`, run in a new container."""
    root = tempfile.mkdtemp(prefix="tiny-")
    try:
        return forked(lambda: outside(root, command))
    finally:
        os.rmdir(root)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:] or ["sh"]))
