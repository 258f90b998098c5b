"""The tool's own keys: RSA pairs by which it proves to a platform who it is, and the public set (JWKS).

Contract: the file is its owner's alone and appears whole; private keys never leave it and this process.
One key signs. ``prepare`` publishes the next one beside it, so that platforms know it before it is
used; ``rotate`` lets it sign and keeps the one before published until the next is prepared.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from autograder.errors import AuthorError, PlatformError
from autograder.files import write_whole
from course.tree import STATE

FILE = "lti-keys.json"
BITS = 2048
ALGORITHM = "RS256"


@dataclass(frozen=True)
class ToolKey:
    """``kid``: RFC 7638's thumbprint of the public key."""

    kid: str
    private: rsa.RSAPrivateKey = field(repr=False)

    @property
    def public(self) -> dict[str, str]:
        """As a JWK."""
        return {**_members(self.private), "kid": self.kid, "alg": ALGORITHM, "use": "sig"}

    @property
    def public_pem(self) -> str:
        """For platforms that take a pasted key."""
        kind = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.private.public_key().public_bytes(serialization.Encoding.PEM, kind).decode()


@dataclass(frozen=True)
class ToolKeys:
    """``keys``: oldest first; ``signing``: the one that signs; a key behind it is prepared."""

    keys: tuple[ToolKey, ...]
    signing: ToolKey

    @property
    def prepared(self) -> ToolKey | None:
        return self.keys[-1] if self.keys[-1] is not self.signing else None

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        return {"keys": [key.public for key in self.keys]}


def tool_keys(course_dir: Path) -> ToolKeys:
    """The keys of a course; the first is made on first use. Raises PlatformError."""
    with _locked(course_dir) as file:
        return _read(file) if file.exists() else _write(file, [made := _new_key()], made)


def prepare(course_dir: Path) -> ToolKeys:
    """Publishes a next key; the one that was rotated out last is forgotten. Does nothing where one is
    prepared already."""
    tool_keys(course_dir)
    with _locked(course_dir) as file:
        known = _read(file)
        return known if known.prepared else _write(file, [known.signing, _new_key()], known.signing)


def rotate(course_dir: Path) -> ToolKeys:
    """The prepared key signs from now on. Raises AuthorError where none is."""
    tool_keys(course_dir)
    with _locked(course_dir) as file:
        known = _read(file)
        if known.prepared is None:
            raise AuthorError(
                "no key is prepared: run `mlsys lti keys --prepare`, wait until the platform has "
                "read it (a day, or paste it there), then rotate"
            )
        return _write(file, list(known.keys), known.prepared)


@contextlib.contextmanager
def _locked(course_dir: Path) -> Iterator[Path]:
    """The file, for one process at a time."""
    folder = course_dir.resolve() / STATE
    try:
        folder.mkdir(exist_ok=True)
        descriptor = os.open(folder / f"{FILE}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise PlatformError(f"{folder}: {error.strerror}; see to the disk, then run it again") from error
    with os.fdopen(descriptor, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder / FILE


def _read(file: Path) -> ToolKeys:
    """Errors name the file and never what is in it."""
    try:
        if file.stat().st_mode & 0o077:
            raise PlatformError(
                f"{file} can be read by others: `chmod 600` it, then prepare and rotate a key"
            )
        known = json.loads(file.read_bytes())
        keys = tuple(_key_of(each) for each in known["keys"])
        signing = next(key for key in keys if key.kid == known["signing"])
    except OSError as error:
        raise PlatformError(f"{file}: {error.strerror}; see to the disk, then run it again") from error
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration, UnsupportedAlgorithm):
        raise PlatformError(
            f"{file} is damaged; restore it from a backup, or remove it and tell the platform the new key"
        ) from None
    return ToolKeys(keys, signing)


def _write(file: Path, keys: list[ToolKey], signing: ToolKey) -> ToolKeys:
    text = json.dumps({"signing": signing.kid, "keys": [_pem(key) for key in keys]}, indent=1)
    try:
        write_whole(file, text.encode("ascii"), durable=True)
    except OSError as error:
        raise PlatformError(f"{file}: {error.strerror}; see to the disk, then run it again") from error
    return ToolKeys(tuple(keys), signing)


def _new_key() -> ToolKey:
    return _named(rsa.generate_private_key(public_exponent=65537, key_size=BITS))


def _key_of(pem: Any) -> ToolKey:
    private = serialization.load_pem_private_key(pem.encode("ascii"), None)
    if not isinstance(private, rsa.RSAPrivateKey):
        raise TypeError("no RSA key")
    return _named(private)


def _named(private: rsa.RSAPrivateKey) -> ToolKey:
    """By the thumbprint of its public key."""
    canonical = json.dumps(_members(private), sort_keys=True, separators=(",", ":")).encode()
    return ToolKey(_base64(hashlib.sha256(canonical).digest()), private)


def _members(private: rsa.RSAPrivateKey) -> dict[str, str]:
    numbers = private.public_key().public_numbers()
    return {"e": _base64(_bytes(numbers.e)), "kty": "RSA", "n": _base64(_bytes(numbers.n))}


def _pem(key: ToolKey) -> str:
    return key.private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
