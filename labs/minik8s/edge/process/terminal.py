"""Run a program with its standard input as its controlling terminal (POSIX): a script, for `tty: true`."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.execvp(sys.argv[1], sys.argv[1:])
