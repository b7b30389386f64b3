"""System calls that the student's code has no use for, as a seccomp filter for bubblewrap's `--seccomp`.

The walls of the box do not need it; it makes the kernel behind them smaller: no sockets, no new namespaces, no
io_uring, no keyrings, no queues or memory that no limit counts (System V IPC, memfd). Numbers are the kernel's own
(arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h); where they are unknown, no filter.
"""

from __future__ import annotations

import os
import platform
import struct
from itertools import chain

# name: (x86_64, aarch64)
DENIED = {
    "acct": (163, 89), "add_key": (248, 217), "bpf": (321, 280), "chroot": (161, 51), "delete_module": (176, 106),
    "fanotify_init": (300, 262), "finit_module": (313, 273), "fsmount": (432, 432), "fsopen": (430, 430),
    "fspick": (433, 433), "init_module": (175, 105), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425), "kcmp": (312, 272), "kexec_load": (246, 104), "keyctl": (250, 219),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "mount": (165, 40), "mount_setattr": (442, 442),
    "move_mount": (429, 429), "mq_open": (240, 180), "msgget": (68, 186), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265), "open_tree": (428, 428), "perf_event_open": (298, 241), "personality": (135, 92),
    "pidfd_getfd": (438, 438), "pidfd_open": (434, 434), "pivot_root": (155, 41), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "ptrace": (101, 117), "quotactl": (179, 60), "request_key": (249, 218),
    "semget": (64, 190), "setns": (308, 268), "shmget": (29, 194), "socket": (41, 198), "socketpair": (53, 199),
    "swapon": (167, 224), "syslog": (103, 116), "umount2": (166, 39), "unshare": (272, 97), "userfaultfd": (323, 282),
    "vmsplice": (278, 75),
}
CLONE, CLONE3 = (56, 220), 435
_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_X32 = 0x40000000
_NAMESPACES = 0x7E020000 | 0x00000080
"""Every CLONE_NEW* flag: mount, cgroup, uts, ipc, user, pid, net; and time."""
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_EPERM, _ENOSYS = 1, 38


def program(machine: str = platform.machine()) -> bytes:
    """The filter as `struct sock_filter[]`; empty for a machine whose numbers are not known."""
    if machine not in _ARCHITECTURES:
        return b""
    architecture, column = _ARCHITECTURES[machine]
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _REFUSE | _EPERM),
        (_LOAD, 0, 0, _NUMBER), (_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _REFUSE | _EPERM),
        # libc falls back to clone, whose flags can be looked at.
        (_EQUAL, 0, 1, CLONE3), (_RETURN, 0, 0, _REFUSE | _ENOSYS),
        *chain.from_iterable(((_EQUAL, 0, 1, n[column]), (_RETURN, 0, 0, _REFUSE | _EPERM)) for n in DENIED.values()),
        (_EQUAL, 0, 3, CLONE[column]),
        (_LOAD, 0, 0, _FIRST_ARGUMENT), (_ANY_BIT, 0, 1, _NAMESPACES), (_RETURN, 0, 0, _REFUSE | _EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def opened() -> int | None:
    """A descriptor to read the filter from; None when there is none for this machine. The caller closes it."""
    filter = program()
    if not filter or not hasattr(os, "memfd_create"):
        return None
    fd = os.memfd_create("filter")
    os.write(fd, filter)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
