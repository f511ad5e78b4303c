"""HTTPS with a certificate that a test has made."""

import asyncio
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fastapi import FastAPI

from cluster import front, tls
from cluster.front import Front
from cluster.front_door import FrontDoor
from cluster.front_layout import Behind, Layout
from cluster.ports import LOOPBACK, free_port
from cluster.wiring import wiring
from omc.cli.outcome import Failure
from omc.cli.platform import Platform
from omc.errors import InvalidInput

ROOT = Behind("gateway", "")


def certified(folder: Path, name: str = "omc.example") -> tuple[Path, Path]:
    """A certificate signed by itself, and its key."""
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("192.0.2.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "cert.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


def test_only_the_certificate_is_left_for_others_to_see(tmp_path):
    tls.examine(*certified(tmp_path), tmp_path / "tls.crt")
    assert b"PRIVATE" not in (tmp_path / "tls.crt").read_bytes()


def test_what_does_not_belong_together_is_refused(tmp_path):
    certificate, _ = certified(tmp_path / "a")
    _, key = certified(tmp_path / "b")
    for pair in ((certificate, key), (key, certificate), (tmp_path / "nothing", key)):
        with pytest.raises(InvalidInput, match="cannot be used"):
            tls.examine(*pair, tmp_path / "tls.crt")


@pytest.mark.skipif(front.program() is None, reason="HAProxy does not come with Ray here")
async def test_the_front_speaks_tls_and_clients_here_know_it_by_its_certificate(tmp_path):
    home = tmp_path / "home"
    (home / "run").mkdir(parents=True)
    pair, public = certified(tmp_path), home / "run" / "tls.crt"
    tls.examine(*pair, public)
    layout = Layout(LOOPBACK, free_port(), (ROOT,), tls=pair)
    standing = Front(front.program(), home / "run" / "front", tmp_path / "front.log", layout)
    standing.start()
    app = FastAPI()

    @app.get("/api/v1/ready")
    async def ready() -> dict[str, object]:
        return {"status": "success", "data": {"status": "ok"}}

    door = FrontDoor(app, ROOT)
    door.open(standing.folder)
    url = f"https://{LOOPBACK}:{layout.port}"
    try:
        async with httpx.AsyncClient(base_url=url, verify=tls.trusting(public), trust_env=False) as client:
            assert (await client.get("/api/v1/ready")).status_code == 200
        other, _ = certified(tmp_path / "other")
        for trust in (True, tls.trusting(other)):
            async with httpx.AsyncClient(base_url=url, verify=trust, trust_env=False) as stranger:
                with pytest.raises(httpx.ConnectError, match="CERTIFICATE"):
                    await stranger.get("/api/v1/ready")
        with Platform(url, home) as there:
            assert await asyncio.to_thread(there.ready) == {"status": "ok"}
        with Platform(url, tmp_path / "elsewhere") as stranger, pytest.raises(Failure, match="not trusted here"):
            await asyncio.to_thread(stranger.ready)
    finally:
        await door.close()
        standing.stop()


def test_beyond_the_loopback_tls_is_asked_for(tmp_path):
    certificate, key = certified(tmp_path)
    with pytest.raises(InvalidInput, match="OMC_ALLOW_PLAIN_HTTP"):
        wiring(home=tmp_path, host="0.0.0.0")
    with pytest.raises(InvalidInput, match="go together"):
        wiring(home=tmp_path, tls_cert=certificate)
    assert wiring(home=tmp_path, host="0.0.0.0", allow_plain_http=True).url == "http://127.0.0.1:8000"
    secured = wiring(home=tmp_path, host="0.0.0.0", tls_cert=certificate, tls_key=key)
    assert secured.url == "https://127.0.0.1:8000"
    assert secured.rules.https
    assert wiring(home=tmp_path).url == "http://127.0.0.1:8000"
