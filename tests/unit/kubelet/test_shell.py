"""The small shell: what lessons write into `command`, `kubectl exec` and probes."""

import pytest
from kubelet_bench import Bench

SCRIPTS = [
    ("echo hello world", "hello world\n"),
    ("echo 'a  b' \"c $((1 + 2 * 3))\"", "a  b c 7\n"),
    ("for i in 1 2 3; do echo -n $i; done; echo", "123\n"),
    ("i=0; while [ $i -lt 3 ]; do i=$((i+1)); done; echo $i", "3\n"),
    ("if [ -f /etc/hosts ]; then echo yes; else echo no; fi", "yes\n"),
    ("false || echo or; true && echo and", "or\nand\n"),
    ("echo one > /tmp/f; echo two >> /tmp/f; cat /tmp/f | wc -l", "2\n"),
    ("x=$(echo inner); echo \"[$x]\"", "[inner]\n"),
    ("f() { echo got $1; return 3; }; f arg; echo $?", "got arg\n3\n"),
    ("case abc in a*) echo starts;; *) echo other;; esac", "starts\n"),
    ("echo ${UNSET:-default} ${HOSTNAME%l}", "default shel\n"),
    ("printf '%s-%d\\n' a 5", "a-5\n"),
    ("echo b a c | tr ' ' '\\n' | sort | head -2", "a\nb\n"),
    ("ls /nope || echo failed $?", "failed 1\n"),
    ("(cd /tmp; pwd); pwd", "/tmp\n/\n"),
    ("echo $((10 / 3)) $((10 % 3)) $((2 > 1))", "3 1 1\n"),
    ("mkdir -p /a/b && touch /a/b/c && find /a -name c", "/a/b/c\n"),
    ("set -e; false; echo unreachable", ""),
    ("echo a,b | cut -d, -f2; echo x1y | sed 's/[0-9]/-/'; echo p q | awk '{print $2}'", "b\nx-y\nq\n"),
]


@pytest.fixture(scope="module")
def shell() -> Bench:
    bench = Bench()
    bench.pod("shell", "nginx:1.27")
    bench.run(15)
    return bench


@pytest.mark.parametrize(("script", "printed"), SCRIPTS)
def test_scripts_print_what_a_posix_shell_prints(shell: Bench, script: str, printed: str) -> None:
    assert shell.shell("shell", script)[1] == printed


def test_sleeping_takes_virtual_time(shell: Bench) -> None:
    assert shell.shell("shell", "sleep 5; echo done", seconds=4)[0] is None
    assert shell.shell("shell", "sleep 5; echo done", seconds=6)[:2] == (0, "done\n")


def test_an_endless_loop_does_not_stop_the_world(shell: Bench) -> None:
    before = shell.cluster.clock.now()
    assert shell.shell("shell", "while true; do :; done", seconds=2)[0] is None
    assert shell.cluster.clock.now() == before + 2


@pytest.mark.parametrize("script", ["echo 'open", "if true; then", "| x", "for do", "$(", "done"])
def test_broken_scripts_fail_with_a_message(shell: Bench, script: str) -> None:
    code, _, err = shell.shell("shell", script)
    assert code == 2 and "syntax error" in err


def test_an_unknown_program_is_not_found(shell: Bench) -> None:
    assert shell.shell("shell", "nosuchprogram")[0] == 127
