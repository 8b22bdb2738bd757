"""The HTTP interface in a process of its own: by TLS only, where it has a certificate."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cli_commands import Nodes, ask
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from http_world import serving


def certify(folder: Path) -> ssl.SSLContext:
    """Writes key and certificate for this address, and answers who believes it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bridge")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(Encoding.PEM)
    (folder / "api.pem").write_bytes(pem)
    secret = folder / "api.key"
    secret.touch(mode=0o600)
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return ssl.create_default_context(cadata=pem.decode())


def test_by_tls_it_says_so_and_takes_nothing_in_the_open(nodes: Nodes) -> None:
    # given
    believing = certify(nodes.rs.parent)
    token = ask("tokens", "add", "cases", "--scope", "inbox:read", "--config", nodes.rs)["token"]
    with serving(nodes.rs, 'certificate_file = "api.pem"', 'key_file = "api.key"') as port:
        # then
        headers = {"authorization": f"Bearer {token}"}
        answer = httpx.get(f"https://127.0.0.1:{port}/api/v1/inbox", headers=headers, verify=believing)
        assert answer.json() == {"items": [], "next": None}
        assert "max-age=63072000" in answer.headers["strict-transport-security"]
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{port}/api/v1/inbox", headers=headers)
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"https://127.0.0.1:{port}/api/v1/inbox", headers=headers)
