"""Certificates for a grading cluster: an authority of its own, one for its servers, one for drivers.

Contract: `make` fills a folder once and leaves one that is complete alone. Private keys are readable by their
owner alone. Whoever has a certificate of this authority may take part: keep ``ca.key`` where it was made.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from autograder.errors import PlatformError

YEARS = timedelta(days=3650)
AUTHORITY = "ca"
PARTS = ("server", "client")


def make(folder: Path) -> None:
    """Raises PlatformError where the folder can't be written, or holds a part of a set."""
    wanted = [folder / f"{name}.{kind}" for name in (AUTHORITY, *PARTS) for kind in ("pem", "key")]
    there = [file for file in wanted if file.exists()]
    if len(there) == len(wanted):
        return
    if there:
        missing = ", ".join(file.name for file in wanted if file not in there)
        raise PlatformError(f"{folder} lacks {missing}; restore them, or name an empty folder")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        authority = signed(AUTHORITY, key, key, None)
        write(folder, AUTHORITY, key, authority)
        for name in PARTS:
            own = ec.generate_private_key(ec.SECP256R1())
            write(folder, name, own, signed(name, own, key, authority))
    except OSError as error:
        raise PlatformError(f"{folder}: {error.strerror}; name a folder that can be written") from error


def signed(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    by: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate | None,
) -> x509.Certificate:
    """A certificate for ``key``; the authority's own where there is none yet."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"mlsys grading {name}")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if authority is None else authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + YEARS)
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        .sign(by, hashes.SHA256())
    )


def write(folder: Path, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    descriptor = os.open(folder / f"{name}.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(private)
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
