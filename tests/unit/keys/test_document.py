"""keys.ron as text: what is taken, what is refused and with which words, and that nothing is lost on the way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litterbox.errors import KeyStoreError
from litterbox.keys import document
from litterbox.keys.records import Ask, Attachment, Cost, Sealed, Store, StoredKey, Vault

PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJZqvhF67gHVMfwOvqvMvnQHOcepzt/Ulv9AhLziq99Y"
ASKS: st.SearchStrategy[Ask] = st.sampled_from(["always", "once", "never"])
SEALED = st.builds(Sealed, st.binary(max_size=12), st.binary(max_size=80))
HOSTS = st.from_regex(r"[a-z0-9.*?-]{1,20}", fullmatch=True)
BOXES = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,31}", fullmatch=True)
ATTACHMENTS = st.builds(
    Attachment, BOXES, st.lists(HOSTS, min_size=1, max_size=3, unique=True).map(tuple), ASKS
) | st.builds(Attachment, BOXES, st.just(()), st.sampled_from(["always", "once"]))
KEYS = st.builds(
    StoredKey,
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}", fullmatch=True),
    st.text(st.characters(categories=["L", "N", "P"]), max_size=30).map(lambda comment: f"{PUBLIC} {comment}"),
    SEALED,
    st.lists(ATTACHMENTS, max_size=3, unique_by=lambda attachment: attachment.box).map(tuple),
)
VAULTS = st.builds(
    Vault,
    st.just("argon2id"),
    st.builds(Cost, st.integers(), st.integers(), st.integers(0, 2**40)),
    st.binary(max_size=32),
    SEALED,
)
STORES = st.builds(Store, VAULTS, st.lists(KEYS, max_size=4, unique_by=lambda key: key.name).map(tuple))

ONE_KEY = Store(
    Vault("argon2id", Cost(3, 4, 65536), b"salt", Sealed(b"nonce", b"wrapped")),
    (StoredKey("work", PUBLIC, Sealed(b"nonce", b"sealed"), (Attachment("box", ("example.org",), "once"),)),),
)
TEXT = document.encode(ONE_KEY).decode()


@given(STORES)
def test_a_store_reads_as_it_was_written(store: Store) -> None:
    assert document.decode(document.encode(store), "keys.ron") == store


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_the_documented_error(content: bytes) -> None:
    with pytest.raises(KeyStoreError):
        document.decode(content, "keys.ron")


def test_a_store_truncated_anywhere_is_refused_with_the_way_out() -> None:
    for cut in range(len(TEXT) - 1):
        with pytest.raises(KeyStoreError, match=r"keys\.ron is damaged: line") as refusal:
            document.decode(TEXT[:cut].encode(), "keys.ron")
        assert "backup" in refusal.value.hint


def test_hand_made_layout_comments_and_names_are_read() -> None:
    text = TEXT.replace("(\n    version", "// mine\nStore(version", 1).replace("cost: (", "cost: Cost(")

    assert document.decode(text.encode(), "keys.ron") == ONE_KEY


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('name: "work"', "name: 5", "line 18, column 19: keys[0].name: expected a string"),
        ('name: "work"', 'name: "../x"', "line 18, column 19: keys[0].name: this is not a key's name"),
        ('name: "work"', 'nome: "work"', "line 17, column 9: keys[0].name: missing"),
        ('name: "work",', 'name: "work", extra: 1,', "line 18, column 34: keys[0].extra: this field is not known"),
        ("ssh-ed25519", "ssh-dss", "keys[0].public_key: this is not an OpenSSH public key"),
        ("ssh-ed25519 AAAA", "ssh-rsa AAAA", "keys[0].public_key: this is not an OpenSSH public key"),
        ('box: "box"', 'box: "../../x"', "keys[0].attachments[0].box: this is not a box's name"),
        ('ask: "once"', 'ask: "sometimes"', "keys[0].attachments[0].ask: this value is not one of those allowed"),
        ('["example.org"]', '"example.org"', "keys[0].attachments[0].hosts: expected a list"),
        ('["example.org"]', '["exa\\u{202e}mple"]', "keys[0].attachments[0].hosts: these are not host patterns"),
        ('["example.org"]', '["Example.org"]', "keys[0].attachments[0].hosts: these are not host patterns"),
        ('["example.org"]', '["!example.org"]', "keys[0].attachments[0].hosts: these are not host patterns"),
        (
            'hosts: ["example.org"],\n                    ask: "once"',
            'hosts: [],\n                    ask: "never"',
            "keys[0].attachments[0].ask: a key that never asks must say for which hosts",
        ),
        ("iterations: 3", 'iterations: "3"', "line 6, column 25: vault.cost.iterations: expected a whole number"),
        ("iterations: 3", "iterations: true", "vault.cost.iterations: expected a whole number"),
        ("iterations: 3", "iterations: 3.0", "vault.cost.iterations: expected a whole number"),
        ('"argon2id"', '"md5"', "vault.kdf: this value is not one of those allowed"),
        ('salt: "', 'salt: "!', "vault.salt: expected base64"),
        ("vault: (", "vauld: (", "line 1, column 1: the field vault is missing"),
        ("keys: [", "kees: [", "the field keys is missing"),
        ("version: 3", 'version: "3"', "version: missing, or not a whole number"),
        ("version: 3,", "", "version: missing, or not a whole number"),
        ("keys: [", "keys: [1,", "line 16, column 12: keys[0]: expected a struct"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(old: str, new: str, complaint: str) -> None:
    assert old in TEXT

    with pytest.raises(KeyStoreError) as refusal:
        document.decode(TEXT.replace(old, new, 1).encode(), "/home/me/keys.ron")

    assert refusal.value.sentence.startswith("The key store /home/me/keys.ron is damaged: line ")
    assert complaint in refusal.value.sentence


def test_names_and_boxes_come_once() -> None:
    key = ONE_KEY.keys[0]
    twice = Store(ONE_KEY.vault, (key, key))
    same_box = Store(ONE_KEY.vault, (StoredKey("a", PUBLIC, key.sealed, key.attachments * 2),))

    with pytest.raises(KeyStoreError, match=r"keys\[1\]\.name: this name comes twice"):
        document.decode(document.encode(twice), "keys.ron")
    with pytest.raises(KeyStoreError, match=r"keys\[0\]\.attachments\[1\]\.box: this box is attached twice"):
        document.decode(document.encode(same_box), "keys.ron")


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        (4, "was written by a newer Litterbox (version 4)"),
        (2, "is the Rust Litterbox's (version 2), and not converted yet"),
        (1, "has version 1, which Litterbox does not read"),
        (-1, "has version -1, which Litterbox does not read"),
    ],
)
def test_other_versions_are_refused_with_what_to_do(version: int, sentence: str) -> None:
    with pytest.raises(KeyStoreError) as refusal:
        document.decode(TEXT.replace("version: 3", f"version: {version}").encode(), "keys.ron")

    assert sentence in refusal.value.sentence
    assert refusal.value.hint


def test_the_store_of_the_rust_litterbox_is_recognised() -> None:
    old = (
        '(version:2,password_hash:"$argon2id$v=19$m=19456,t=2,p=1$abc$def",keys:[(name:"work",'
        'encrypted_key:[48,130,1,2],attached_litterboxes:["box"])])'
    )

    with pytest.raises(document.RustStoreError):
        document.decode(old.encode(), "keys.ron")


@pytest.mark.parametrize("version", ["", "version:0,", "version:1,"])
def test_an_older_store_of_the_rust_litterbox_says_how_to_take_its_keys_out(version: str) -> None:
    old = f'({version}password_hash:"$argon2id$v=19$m=19456,t=2,p=1$abc$def",keys:[])'

    with pytest.raises(KeyStoreError, match=r"has version [01], which Litterbox does not read") as refusal:
        document.decode(old.encode(), "keys.ron")

    assert "keys export" in refusal.value.hint
    assert not isinstance(refusal.value, document.RustStoreError)


def test_bytes_that_are_not_utf8_are_placed() -> None:
    with pytest.raises(KeyStoreError, match="line 2, column 4: it is not UTF-8 text"):
        document.decode(b"(\nabc\xff", "keys.ron")
