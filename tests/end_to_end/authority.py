"""An authority of one's own, and what it certifies."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class Authority:
    """Nobody knows of it but those who are shown `file`."""

    def __init__(self, folder: Path, name: str = "an authority of ours") -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        ours = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        built = _begun(self._subject, self._subject, self._key).add_extension(ours, critical=True)
        certificate = built.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.file = folder / "authority.pem"
        self.file.write_bytes(certificate.sign(self._key, SHA256()).public_bytes(Encoding.PEM))

    def certify(self, *names: str) -> tuple[Path, Path]:
        """The certificate of a machine that has these names and addresses, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        known = [x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name) for name in names]
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            _begun(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]), self._subject, key)
            .add_extension(x509.SubjectAlternativeName(known), critical=False)
            .add_extension(authority, critical=False)
            .sign(self._key, SHA256())
        )
        files = self._folder / "chain.pem", self._folder / "key.pem"
        files[0].write_bytes(certificate.public_bytes(Encoding.PEM) + self.file.read_bytes())
        files[1].touch(mode=0o600)
        files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return files


def _begun(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    serial = x509.random_serial_number()
    return x509.CertificateBuilder(issuer, subject, key.public_key(), serial, now - timedelta(1), now + timedelta(1))
