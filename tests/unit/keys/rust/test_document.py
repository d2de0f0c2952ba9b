"""A Rust keys.ron as text: what does not fit is named with its place, and nothing in it is run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litterbox.errors import KeyStoreError
from litterbox.keys.rust import document, pbes2


@pytest.fixture
def text(rust, ed25519) -> str:
    return rust.text([("work", rust.encrypt(rust.with_public_key(ed25519)), ["box"])]).decode()


def test_a_layout_of_several_lines_is_read(text: str) -> None:
    laid_out = text.replace(",encrypted", ",\n  encrypted").replace("keys:[(", "keys: [\n // mine\n Key(")

    store = document.decode(laid_out.encode(), "keys.ron")

    assert store == document.decode(text.encode(), "keys.ron")
    assert (store.keys[0].name, store.keys[0].attached_litterboxes) == ("work", ("box",))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("version:2", "version:true", "version: expected 2"),
        ('password_hash:"$argon2id', 'password_hash:"$argon2d', "password_hash: this is not the hash of a password"),
        ("m=64", "m=99999999", "password_hash: it asks for Argon2id parameters outside what Litterbox allows"),
        ("password_hash:", "passwort:", "password_hash: missing"),
        ("keys:[", "keys:5,more:[", "keys: expected a list"),
        ("name:", "nam:", "keys[0].name: missing"),
        ("encrypted_key:[48,", "encrypted_key:[256,", "keys[0].encrypted_key: expected a list of bytes"),
        ("encrypted_key:[48,", "encrypted_key:[-1,", "keys[0].encrypted_key: expected a list of bytes"),
        ("encrypted_key:[48,", "encrypted_key:[true,", "keys[0].encrypted_key: expected a list of bytes"),
        ("encrypted_key:[48,", "encrypted_key:[48.0,", "keys[0].encrypted_key: expected a list of bytes"),
        ("encrypted_key:[48,", "encrypted_key:[49,", "keys[0].encrypted_key: this is not an encrypted private key"),
        ("attached_litterboxes:[", "attached_litterboxes:[1,", "keys[0].attached_litterboxes: expected a string"),
        ("attached_litterboxes:", "new:1,attached_litterboxes:", "keys[0].new: this field is not known here"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(text: str, old: str, new: str, complaint: str) -> None:
    assert old in text

    with pytest.raises(KeyStoreError) as refusal:
        document.decode(text.replace(old, new, 1).encode(), "/home/me/keys.ron")

    assert refusal.value.sentence.startswith("The key store /home/me/keys.ron is damaged: line 1, column ")
    assert complaint in refusal.value.sentence
    assert refusal.value.hint


def test_an_absurd_cost_is_named_with_its_key(rust, ed25519) -> None:
    good = rust.encrypt(rust.with_public_key(ed25519))
    absurd = rust.wrap(rust.scrypt(2**30).described(b"salt"))

    with pytest.raises(
        KeyStoreError, match=r"keys\[1\]\.encrypted_key: opening the key would take more time or memory"
    ):
        document.decode(rust.text([("work", good, []), ("play", absurd, [])]), "keys.ron")


def test_many_keys_cannot_ask_together_for_what_one_may_not(rust) -> None:
    half = rust.wrap(rust.pbkdf2(pbes2.MAX_WORK // 2).described(b"salt"))

    document.decode(rust.text([("a", half, []), ("b", half, [])]), "keys.ron")
    with pytest.raises(KeyStoreError, match="would take more time than Litterbox allows"):
        document.decode(rust.text([("a", half, []), ("b", half, []), ("c", half, [])]), "keys.ron")


def test_a_key_too_large_to_be_one_is_refused(rust) -> None:
    large = rust.wrap(rust.pbkdf2().described(b"salt"), ciphertext=bytes(256 * 1024))

    with pytest.raises(KeyStoreError, match="too large to be a private key"):
        document.decode(rust.text([("work", large, [])]), "keys.ron")


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_the_documented_error(content: bytes) -> None:
    with pytest.raises(KeyStoreError):
        document.decode(content, "keys.ron")
