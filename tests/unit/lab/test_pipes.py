"""The filters after `|`: what GNU's tools make of the same text."""

import shutil
import subprocess

import pytest

from minik8s.lab import pipes

TABLE = """NAME    READY   RESTARTS   AGE
web-2   1/1     10         5m
web-1   0/1     2          5m
db-0    1/1     2          1h
db-0    1/1     2          1h
"""
COMMANDS = [
    "grep web",
    "grep -v web",
    "grep -i NAME",
    "grep -c web",
    "grep -n db",
    "grep -E 'web|db'",
    "grep 'web|db'",
    "grep -o 'web-[0-9]'",
    "grep -w web-1",
    "head -2",
    "head -n 1",
    "tail -1",
    "tail -n +2",
    "wc -l",
    "sort",
    "sort -r",
    "sort -k1",
    "sort -n -k3",
    "sort -u",
    "uniq",
    "uniq -c",
    "awk '{print $1}'",
    "awk '{print $1, $NF}'",
    "awk 'NR>1 {print $2}'",
    "awk '/web/ {print $1 \" \" $3}'",
    "cut -d / -f 1",
]


@pytest.mark.skipif(shutil.which("awk") is None, reason="needs the real tools to compare with")
@pytest.mark.parametrize("command", COMMANDS)
def test_same_as_the_real_tool(command):
    real = subprocess.run(["sh", "-c", command], input=TABLE, capture_output=True, text=True, env={"LC_ALL": "C"})
    assert pipes.through(command, TABLE) == real.stdout


REFUSED = ["jq .", "grep -P x", "awk '{sum+=$1}'", "grep", "head -n x", "cut -c 1", "grep 'x"]


@pytest.mark.parametrize("command", REFUSED)
def test_what_cannot_be_done_is_said(command):
    with pytest.raises(pipes.PipeError, match=r"[가-힣]"):
        pipes.through(command, TABLE)


def test_a_bar_in_quotes_is_no_pipe():
    assert pipes.split("get po | grep 'a|b' | wc -l") == ["get po", "grep 'a|b'", "wc -l"]


@pytest.mark.parametrize("line", ["get po > x", "get po && get svc", "get po; get svc"])
def test_what_only_a_shell_can_do(line):
    with pytest.raises(pipes.PipeError, match="셸의 일"):
        pipes.split(line)
