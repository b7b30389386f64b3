"""What answers at a kubeconfig's address is no usable API server: one Korean line, and nothing is asked twice."""

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv4Address

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from minik8s import lab
from minik8s.lab import remote


class Web(BaseHTTPRequestHandler):
    """Some other web server, which answers everything with a page."""

    asked: list

    def do_GET(self):
        self.asked.append(self.path)
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<h1>router</h1>")

    def log_message(self, *_):
        pass


@pytest.fixture
def web():
    handler = type("Handler", (Web,), {"asked": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def kubeconfig(tmp_path, monkeypatch):
    def at(address, **cluster):
        config = {
            "clusters": [{"name": "kind-x", "cluster": {"server": address, **cluster}}],
            "users": [{"name": "kind-x", "user": {"token": "x"}}],
            "contexts": [{"name": "kind-x", "context": {"cluster": "kind-x", "user": "kind-x"}}],
        }
        (tmp_path / "config").write_text(yaml.safe_dump(config))
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))

    return at


def test_a_web_server_that_is_no_api_server(web, kubeconfig):
    kubeconfig(f"http://127.0.0.1:{web.server_port}")
    with pytest.raises(remote.Unusable, match="API 서버가 아니다"):
        lab.connect("kind-x")
    assert web.RequestHandlerClass.asked == ["/version"]


def test_a_server_that_never_answers(kubeconfig, monkeypatch):
    monkeypatch.setattr(remote, "FIRST_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        kubeconfig(f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(remote.Unusable, match="대답이 오지 않는다"):
            lab.connect("kind-x")


def test_an_expired_certificate(web, kubeconfig, tmp_path):
    certificate, key = expired(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    web.socket = context.wrap_socket(web.socket, server_side=True)
    kubeconfig(f"https://127.0.0.1:{web.server_port}", **{"certificate-authority": str(certificate)})
    with pytest.raises(remote.Unusable, match="인증서의 기한이 지났다"):
        lab.connect("kind-x")
    assert web.RequestHandlerClass.asked == []


def expired(folder):
    """A certificate that ended yesterday, and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now - timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "crt").write_bytes(built.public_bytes(pem))
    plain = serialization.NoEncryption()
    (folder / "key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return folder / "crt", folder / "key"
