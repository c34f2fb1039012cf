"""A proxy that ends TLS before a store, with a CA of its own, as a load balancer does: the store behind it speaks plain http."""

import contextlib
import ipaddress
import select
import socket
import ssl
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_ADDRESS = "127.0.0.1"


class TlsDoor:
    """`with TlsDoor(store.endpoint) as door:` has `endpoint`, an https URL of an address, and `ca`, the PEM by which it is known."""

    def __init__(self, endpoint: str) -> None:
        target = urlsplit(endpoint)
        self._target = (target.hostname or _ADDRESS, target.port or 80)
        self._listener = socket.create_server((_ADDRESS, 0))
        self.endpoint = f"https://{_ADDRESS}:{self._listener.getsockname()[1]}"
        self.ca, chain = _issue()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "chain.pem"
            path.touch(mode=0o600)
            path.write_text(chain)
            self._context.load_cert_chain(path)

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, name="tls-door", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            client,
            socket.create_connection(self._target) as server,
            self._context.wrap_socket(client, server_side=True) as inside,
        ):
            while _passes(inside, server):
                pass


def _passes(inside: ssl.SSLSocket, server: socket.socket) -> bool:
    """Pass on what there is, in one thread: a TLS connection must not be read and written at once. False at the end of either side."""
    ready = [inside] if inside.pending() else select.select([inside, server], [], [])[0]
    for source, sink in ((inside, server), (server, inside)):
        if source in ready:
            data = source.recv(65536)
            if not data:
                return False
            sink.sendall(data)
    return True


def _issue() -> tuple[str, str]:
    """A CA, and a certificate of it for the address, with its key."""
    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Example CA")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _ADDRESS)])
    authority = (
        _builder(issuer, issuer, root.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root.public_key()), critical=False)
        .sign(root, hashes.SHA256())
    )
    known_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key())
    shown = (
        _builder(subject, issuer, leaf.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(_ADDRESS))]), critical=False)
        .add_extension(known_by, critical=False)
        .sign(root, hashes.SHA256())
    )
    key = leaf.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return authority.public_bytes(Encoding.PEM).decode(), shown.public_bytes(Encoding.PEM).decode() + key


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    return (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
