"""API keys: who calls. Only hashes are kept, in `MASTERY_API_KEYS`, as `NAME:SHA256,NAME:SHA256`.

A key is 256 random bits, so that a plain SHA-256 of it cannot be turned back.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping

from service.errors import BadSetting, UnknownKey

ANONYMOUS = "anonymous"
_ENTRY = re.compile(r"([\w.-]{1,64}):([0-9a-f]{64})")


class Keyring:
    """Knows the callers by their keys."""

    def __init__(self, hashes: Mapping[str, str], *, required: bool) -> None:
        self._hashes = hashes
        self._required = required

    @classmethod
    def parse(cls, text: str, *, required: bool) -> Keyring:
        """Read `NAME:SHA256,…`.

        Raises:
            BadSetting: an entry is not of this form, or a name stands twice; the message does not show it.
        """
        hashes: dict[str, str] = {}
        for number, entry in enumerate(filter(None, (part.strip() for part in text.split(","))), 1):
            found = _ENTRY.fullmatch(entry)
            if found is None:
                raise BadSetting(f"MASTERY_API_KEYS: entry {number} is not NAME:SHA256; `mastery key NAME` makes one")
            if found[1] in hashes or found[1] == ANONYMOUS:
                raise BadSetting(f"MASTERY_API_KEYS: the name {found[1]!r} is taken; every key needs its own")
            hashes[found[1]] = found[2]
        if required and not hashes:
            raise BadSetting("MASTERY_REQUIRE_KEY: is set, but MASTERY_API_KEYS has no key")
        return cls(hashes, required=required)

    def caller(self, key: str | None) -> str:
        """The name of a key's holder.

        Raises:
            UnknownKey: nobody has this key, or one is needed and none was given.
        """
        if key is None:
            if self._required:
                raise UnknownKey("this service needs a key; send it as `Authorization: Bearer KEY`")
            return ANONYMOUS
        given = hash_of(key)
        names = [name for name, known in self._hashes.items() if hmac.compare_digest(known, given)]
        if not names:
            raise UnknownKey("this key is not one of the service's; check the Authorization header")
        return names[0]


def hash_of(key: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def new_key() -> str:
    """A key that nobody can guess."""
    return f"bm-{secrets.token_urlsafe(32)}"
