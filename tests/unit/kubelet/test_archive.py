"""`kubectl cp` is a tar on each side of an exec: bytes must pass unharmed."""

import io
import tarfile

from minik8s import lab


def session(k, *command, stdin=b""):
    query = {"command": list(command), "stdout": ["true"], "stdin": ["true"]}
    from minik8s.lab.official import ADMIN
    from minik8s.wire import Request

    answer = k.place.handle(Request("POST", "/api/v1/namespaces/default/pods/box/exec", query, {}, None, ADMIN, "test"))
    process = answer.body
    process.write(stdin)
    process.close_stdin()
    k.sleep(5)
    assert process.exit == 0, process.read()
    return b"".join(data for channel, data in process.read() if channel == 1)


def packed(**files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def test_any_bytes_go_in_and_come_out_again():
    k = lab.connect(nodes=1)
    k.kubectl("run box --image=nginx:1.27")
    k.wait("pod/box", "ready")
    content = bytes(range(256)) + "한글".encode()
    session(k, "tar", "-xmf", "-", "-C", "/tmp", stdin=packed(data=content))
    with tarfile.open(fileobj=io.BytesIO(session(k, "tar", "cf", "-", "/tmp/data"))) as archive:
        assert archive.getnames() == ["tmp/data"]
        assert archive.extractfile("tmp/data").read() == content


def test_an_archive_cannot_write_outside_of_its_folder():
    k = lab.connect(nodes=1)
    k.kubectl("run box --image=nginx:1.27")
    k.wait("pod/box", "ready")
    hostile = packed(**{"../../etc/passwd": b"x"})
    out = k.kubectl("exec box -- cat /etc/passwd").stdout
    try:
        session(k, "tar", "xf", "-", "-C", "/tmp/in", stdin=hostile)
    except AssertionError:
        pass
    assert k.kubectl("exec box -- cat /etc/passwd").stdout == out
