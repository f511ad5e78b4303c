"""What a platform's certificate is held against."""

import os
import ssl
from pathlib import Path

import httpx

from omc.cli.outcome import Failure

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def of(url: str, home: Path) -> ssl.SSLContext | None:
    """The platform that runs on `home` has left its own certificate there, whose names need not include the loopback;
    `OMC_CA_FILE` names the authority of another. None where the usual ones decide, or nothing is to be decided."""
    if not url.startswith("https:"):
        return None
    ours, authority = home / "run" / "tls.crt", os.environ.get("OMC_CA_FILE")
    try:
        if httpx.URL(url).host in _LOOPBACK and ours.exists():
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            context.load_verify_locations(ours)
            return context
        return ssl.create_default_context(cafile=authority) if authority else None
    except OSError as fault:
        raise Failure(f"OMC_CA_FILE cannot be read as certificates: {fault}") from None
