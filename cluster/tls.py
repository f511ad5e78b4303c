"""HTTPS: whether the operator's certificate and key are good, and trust in them on this machine."""

import ssl
from pathlib import Path

from omc.errors import InvalidInput


def examine(certificate: Path, key: Path, public: Path) -> None:
    """Leave the certificate at `public` for whoever asks on this machine whether it is us. InvalidInput when the two
    cannot be read, or are not each other's."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_no_password)
        public.write_bytes(certificate.read_bytes())
    except (OSError, ValueError) as fault:
        raise InvalidInput(f"tls_cert and tls_key cannot be used for TLS: {fault.__class__.__name__}") from None


def trusting(public: Path) -> ssl.SSLContext:
    """Trust in this certificate and in nothing else. Its names need not include this machine's loopback."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    # The certificate itself suffices, whoever has signed it.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(public)
    return context


def _no_password() -> str:
    # Asked for at a terminal otherwise, by a program that nobody may be looking at.
    raise ValueError("the key is locked by a password")
