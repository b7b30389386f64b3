"""`minik8s images lock`, asked of a registry of our own on the loopback address: tokens, indexes, mistakes."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from minik8s.edge import cli, images
from minik8s.edge.registry import INDEXES, SINGLE, Registry, RegistryError

PLATFORMS = [("linux", "amd64", ""), ("linux", "arm64", "v8"), ("unknown", "unknown", "")]


def index(*platforms):
    entries = [
        {"digest": f"sha256:{i:064x}", "platform": {"os": o, "architecture": a, **({"variant": v} if v else {})}}
        for i, (o, a, v) in enumerate(platforms)
    ]
    return json.dumps({"schemaVersion": 2, "mediaType": INDEXES[0], "manifests": entries}).encode()


class Handler(BaseHTTPRequestHandler):
    """The v2 API with token authentication: the parts that a pull of manifests needs."""

    def do_GET(self):
        server, parts = self.server, urlsplit(self.path)
        if parts.path == "/token":
            asked = parse_qs(parts.query)
            server.scopes.append(asked["scope"][0])
            return self.answer(200, json.dumps({"token": "open"}).encode())
        if self.headers.get("Authorization") != "Bearer open":
            realm = f'Bearer realm="http://127.0.0.1:{server.server_address[1]}/token",service="test"'
            return self.answer(401, b"{}", {"WWW-Authenticate": realm})
        body = server.content.get(parts.path)
        if body is None:
            return self.answer(404, b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}')
        digest = server.lie or f"sha256:{hashlib.sha256(body).hexdigest()}"
        return self.answer(200, body, {"Docker-Content-Digest": digest})

    def answer(self, status, body, headers=None):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def registry(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.content, server.scopes, server.lie = {"/v2/lab/web/manifests/1.0": index(*PLATFORMS)}, [], ""
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.name = f"127.0.0.1:{server.server_address[1]}"
    yield server
    server.shutdown()
    server.server_close()


def test_a_tag_is_resolved_with_a_token_for_its_repository(registry):
    pinned = Registry(registry.name).resolve("lab/web", "1.0")
    body = registry.content["/v2/lab/web/manifests/1.0"]
    assert pinned.digest == f"sha256:{hashlib.sha256(body).hexdigest()}"
    assert pinned.platforms == ("linux/amd64", "linux/arm64/v8")
    assert registry.scopes == ["repository:lab/web:pull"]


def test_an_image_for_one_platform_says_which(registry):
    config = json.dumps({"os": "linux", "architecture": "amd64"}).encode()
    digest = f"sha256:{hashlib.sha256(config).hexdigest()}"
    manifest = {"schemaVersion": 2, "mediaType": SINGLE[0], "config": {"digest": digest}, "layers": []}
    registry.content |= {"/v2/a/manifests/1": json.dumps(manifest).encode(), f"/v2/a/blobs/{digest}": config}
    assert Registry(registry.name).resolve("a", "1").platforms == ("linux/amd64",)


def test_what_is_not_there_and_who_is_not_there_is_said_in_korean(registry):
    with pytest.raises(RegistryError, match="그런 이미지나 태그가 없다"):
        Registry(registry.name).resolve("lab/web", "2.0")
    with pytest.raises(RegistryError, match="닿지 않는다"):
        Registry("127.0.0.1:1").resolve("lab/web", "1.0")


def test_content_that_is_not_of_its_digest_is_refused(registry):
    registry.lie = f"sha256:{0:064x}"
    with pytest.raises(RegistryError, match="다이제스트와 다르다"):
        Registry(registry.name).resolve("lab/web", "1.0")


@pytest.fixture
def listed(registry, monkeypatch):
    image = images.Image(f"{registry.name}/lab/web", "1.0", "", "시험")
    monkeypatch.setattr(images, "listed", lambda lock=None: [image])
    return image


def test_the_command_writes_a_lock_that_can_be_read_and_checked(listed, registry, tmp_path, capsys):
    path = tmp_path / "images.lock.yaml"
    assert cli.main(["images", "lock", "--check", "--lock", str(path)]) == 1
    assert not path.exists()
    assert cli.main(["images", "lock", "--lock", str(path)]) == 0
    assert images.read_lock(path) == {listed.tagged: Registry(registry.name).resolve("lab/web", "1.0").digest}
    assert cli.main(["images", "lock", "--check", "--lock", str(path)]) == 0
    registry.content["/v2/lab/web/manifests/1.0"] = index(*PLATFORMS[:2])
    assert cli.main(["images", "lock", "--check", "--lock", str(path)]) == 1
    assert "다르다" in capsys.readouterr().err


def test_an_image_that_lacks_a_platform_is_not_locked(listed, registry, tmp_path, capsys):
    registry.content["/v2/lab/web/manifests/1.0"] = index(PLATFORMS[0])
    assert cli.main(["images", "lock", "--lock", str(tmp_path / "x")]) == 1
    assert "linux/arm64용이 없다" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_locked_images_are_pulled_by_digest(tmp_path):
    tagged = {image.tagged: f"sha256:{1:064x}" for image in images.listed()}
    pairs = (name.rpartition(":")[::2] for name in tagged)
    lines = [f"- {{name: {name}, tag: '{tag}', digest: 'sha256:{1:064x}', platforms: []}}" for name, tag in pairs]
    path = tmp_path / "lock"
    path.write_text("images:\n" + "\n".join(lines))
    found = images.listed(path)
    assert all(image.pinned == f"{image.name}@sha256:{1:064x}" for image in found)


@pytest.mark.parametrize("text", ["images: [", "nothing: []", "images: [{name: a, tag: b, digest: latest}]"])
def test_a_broken_lock_is_said_in_korean(text, tmp_path, capsys):
    path = tmp_path / "lock"
    path.write_text(text)
    assert cli.main(["images", "list", "--lock", str(path)]) == 1
    assert "minik8s:" in capsys.readouterr().err
