"""Who calls is known by keys of which only hashes are kept."""

from __future__ import annotations

import pytest

from service.errors import BadSetting, UnknownKey
from service.keys import ANONYMOUS, Keyring, hash_of, new_key

ANNA, BEN = f"bm-{'anna' * 11}", f"bm-{'ben' * 15}"
ENTRIES = f"anna:{hash_of(ANNA)}, ben:{hash_of(BEN)}"


def test_a_key_names_its_holder() -> None:
    """Each by their own, and nobody where no key is given."""
    keyring = Keyring.parse(ENTRIES, required=False)
    assert (keyring.caller(ANNA), keyring.caller(BEN), keyring.caller(None)) == ("anna", "ben", ANONYMOUS)


@pytest.mark.parametrize("key", ["", "bm-guess", "é\udce9", hash_of(ANNA)])
def test_a_wrong_key_is_refused(key: str) -> None:
    """Also where none is needed; the hash that is kept is no key, and the message does not repeat it."""
    with pytest.raises(UnknownKey) as refused:
        Keyring.parse(ENTRIES, required=False).caller(key)
    assert not key or key not in str(refused.value)


def test_a_key_can_be_required() -> None:
    """Without one nothing is answered."""
    with pytest.raises(UnknownKey, match="needs a key"):
        Keyring.parse(ENTRIES, required=True).caller(None)


def test_without_keys_every_key_is_nobodys() -> None:
    """Clients of OpenAI send a key wherever they call."""
    assert Keyring.parse("", required=False).caller("sk-whatever") == ANONYMOUS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("anna", "entry 1 is not NAME:SHA256"),
        (f"{ENTRIES},carl:{ANNA}", "entry 3 is not NAME:SHA256"),
        (f"anna:{hash_of(ANNA)},anna:{hash_of(BEN)}", "the name 'anna' is taken"),
        (f"{ANONYMOUS}:{hash_of(ANNA)}", "the name 'anonymous' is taken"),
    ],
)
def test_a_wrong_entry_is_named_and_not_shown(text: str, message: str) -> None:
    """A key that was put there by mistake does not end up in a log."""
    with pytest.raises(BadSetting, match=message) as refused:
        Keyring.parse(text, required=False)
    assert ANNA not in str(refused.value)


def test_keys_are_long_and_new() -> None:
    """256 random bits."""
    assert len({new_key() for _ in range(100)}) == 100
    assert all(len(new_key()) > 40 for _ in range(3))
