"""The key of the pseudonyms. This module needs no Spark, as commands without Spark use it too."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

_BLOCK_SIZE = 64
_FINGERPRINT_OF = b"claimatlas: which key"


@dataclass(frozen=True)
class PseudonymKey:
    """A key, as the two blocks that are hashed before a text and before the hash of that.

    ``fingerprint`` identifies a key without disclosing it, so run records may hold it.
    """

    inner: bytes = field(repr=False)
    outer: bytes = field(repr=False)
    fingerprint: str


def pseudonym_key(secret: bytes) -> PseudonymKey:
    """The key made from a secret. A secret longer than a block is hashed first, as HMAC requires."""
    key = hashlib.sha256(secret).digest() if len(secret) > _BLOCK_SIZE else secret
    padded = key.ljust(_BLOCK_SIZE, b"\0")
    return PseudonymKey(
        inner=bytes(byte ^ 0x36 for byte in padded),
        outer=bytes(byte ^ 0x5C for byte in padded),
        fingerprint=hmac.new(secret, _FINGERPRINT_OF, hashlib.sha256).hexdigest()[:8],
    )
