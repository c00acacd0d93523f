"""TLS: certificate and key of the live page."""

import ssl
from pathlib import Path

from resemote_edge.errors import InputError

__all__ = ["tls_context"]


class _EncryptedKeyError(Exception):
    """The key needs a password."""


def tls_context(cert: Path, key: Path | None) -> ssl.SSLContext:
    """What a server needs to speak HTTPS.

    Args:
        cert: PEM file with the certificate and its chain.
        key: PEM file with its key; None if it is in the same file.

    Raises:
        InputError: A file cannot be read, is no PEM, the two do not belong together, or the key has a password.
    """
    for path in filter(None, (cert, key)):
        try:
            path.open("rb").close()
        except OSError as error:
            raise InputError(f"{path}: cannot be read for TLS: {error.strerror or error}") from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert, key, password=_refuse)
    except _EncryptedKeyError:
        raise InputError(
            f"{key or cert}: the key has a password", hint="remove it: openssl pkey -in KEY -out PLAIN"
        ) from None
    except ssl.SSLError as error:
        raise InputError(
            f"{cert}: no certificate with its key{f' in {key}' if key else ''} ({error.reason or error})",
            hint="pass PEM files that belong together: --tls-cert CERT --tls-key KEY",
        ) from None
    return context


def _refuse() -> str:
    # OpenSSL would ask the terminal.
    raise _EncryptedKeyError
