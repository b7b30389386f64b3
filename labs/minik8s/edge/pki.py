"""The server's own certificate authority and certificate (ECDSA P-256), made with `cryptography`.

They are made by a process of its own (`python -m minik8s.edge.pki DIR`), beside the rest of the start: the library
would take ten megabytes of the server for a thing that is done once in years.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import subprocess
import sys
import time
from pathlib import Path

CA_CERT, CA_KEY, CERT, KEY = "ca.crt", "ca.key", "server.crt", "server.key"
NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "minik8s")
ADDRESSES = ("127.0.0.1", "::1", "10.96.0.1")
YEARS = 10

BINARY = getattr(os, "O_BINARY", 0)
"""Windows changes line ends of files that are opened without it."""


class Making:
    """Certificates that are there, or on their way. `wait()` until they are; the CA's PEM."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        if not _good(folder):
            command = [sys.executable, "-m", "minik8s.edge.pki", str(folder)]
            env = {**os.environ, "PYTHONPATH": os.pathsep.join([p or os.curdir for p in sys.path])}
            self._process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE)

    def wait(self) -> bytes:
        """OSError when they could not be made."""
        if self._process is not None:
            errors = self._process.communicate()[1]
            if self._process.returncode:
                raise OSError(f"인증서를 만들 수 없다: {errors.decode(errors='replace').strip().splitlines()[-1:]}")
        return (self._folder / CA_CERT).read_bytes()


def _good(folder: Path) -> bool:
    """Whether all files are there and the certificate is not near its end."""
    try:
        oldest = min((folder / name).stat().st_mtime for name in (CA_CERT, CA_KEY, CERT, KEY))
    except OSError:
        return False
    return time.time() - oldest < (YEARS - 1) * 365 * 86400


def make(folder: Path) -> None:
    """Make CA and server certificate in `folder`."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    now = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    until = now + datetime.timedelta(days=365 * YEARS)

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def begin(subject: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder(issuer_name=name("minik8s"), subject_name=name(subject))
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        return builder.not_valid_before(now).not_valid_after(until)

    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    identifier = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    ca = (
        begin("minik8s", ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(identifier, critical=False)
        .add_extension(_usage(signs=True), critical=True)
    )
    san = [x509.DNSName(n) for n in NAMES] + [x509.IPAddress(ipaddress.ip_address(a)) for a in ADDRESSES]
    server = (
        begin("kube-apiserver", key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(san), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
        )
        .add_extension(_usage(signs=False), critical=True)
    )
    _write(folder, ca, ca_key, server, key)


def _usage(*, signs: bool):  # type: ignore[no-untyped-def]
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=not signs,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(folder: Path, ca, ca_key, server, key) -> None:  # type: ignore[no-untyped-def]
    from cryptography.hazmat.primitives import hashes, serialization

    def private(value) -> bytes:  # type: ignore[no-untyped-def]
        pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        return bytes(value.private_bytes(pem, pkcs8, serialization.NoEncryption()))

    def signed(builder) -> bytes:  # type: ignore[no-untyped-def]
        return bytes(builder.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    contents = {CA_KEY: private(ca_key), KEY: private(key), CA_CERT: signed(ca), CERT: signed(server)}
    for name, data in contents.items():
        write_private(folder / name, data)


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read, all or nothing."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | BINARY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


if __name__ == "__main__":
    make(Path(sys.argv[1]))
