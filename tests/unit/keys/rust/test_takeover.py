"""What names and boxes of the old store become: nothing is lost, and what changes is told."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litterbox.keys import document, formats, vault
from litterbox.keys.records import Attachment, Store, is_key_name
from litterbox.keys.rust.takeover import OpenedKey, TakenOver, take_over

KEYS = [formats.generate("ed25519") for _ in range(6)]
VAULT_KEY = vault.new_vault_key()


def taken(*opened: tuple[int, str, tuple[str, ...]]) -> TakenOver:
    """Take over keys, each given as which of KEYS it is, its name and its boxes."""
    return take_over([OpenedKey(name, KEYS[number], boxes) for number, name, boxes in opened], VAULT_KEY)


def names(result: TakenOver) -> list[str]:
    return [key.name for key in result.keys]


def test_what_is_allowed_stays_as_it_is() -> None:
    result = taken((0, "work", ("box", "other")), (1, "me@home", ()))

    assert names(result) == ["work", "me@home"]
    assert result.keys[0].attachments == (Attachment("box"), Attachment("other"))
    assert [key.comment for key in result.keys] == ["work", "me@home"]
    assert result.changes == ()
    assert vault.unseal(result.keys[0], VAULT_KEY) == formats.private_bytes(KEYS[0])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("my key", "my-key"),
        ("mein Schlüssel", "mein-Schlussel"),
        (" .hidden ", "hidden"),
        ("../../etc/passwd", "etc-passwd"),
        ("", "key"),
        ("鍵", "key"),
        ("a\n\x1b[31m\u202eb", "a-31m-b"),
        ("x" * 65, "x" * 64),
    ],
)
def test_a_name_that_is_not_allowed_becomes_one_that_is(old: str, new: str) -> None:
    result = taken((0, old, ()))

    assert names(result) == [new]
    [change] = result.changes
    assert change.endswith(f" is called {new} now.")
    assert change.isprintable()


def test_a_changed_name_takes_nobodys() -> None:
    result = taken((0, "my key", ()), (1, "my-key", ()), (2, "my  key", ()), (3, "my-key-2", ()), (4, "my-key", ()))

    assert names(result) == ["my-key-3", "my-key", "my-key-4", "my-key-2", "my-key-5"]


def test_long_names_stay_apart() -> None:
    result = taken((0, "x" * 70, ()), (1, "x" * 64, ()), (2, "x" * 64 + "y", ()))

    assert names(result) == ["x" * 62 + "-2", "x" * 64, "x" * 62 + "-3"]


def test_the_same_key_under_two_names_is_kept_once_with_all_its_boxes() -> None:
    result = taken((0, "work", ("a", "b")), (1, "play", ()), (0, "again", ("b", "c")))

    assert names(result) == ["work", "play"]
    assert [attachment.box for attachment in result.keys[0].attachments] == ["a", "b", "c"]
    assert result.changes == ("The key 'again' is the same as 'work', which now has the attachments of both.",)


def test_boxes_that_cannot_be_are_left_out_and_named() -> None:
    result = taken((0, "work", ("Box", "box", "", "../x", "y" * 33, "box")))

    assert result.keys[0].attachments == (Attachment("box"),)
    assert result.changes == (
        f"work is no longer attached to 'Box', '', '../x', '{'y' * 33}': no box can have such a name.",
    )


def test_a_list_without_end_is_told_in_one_line() -> None:
    result = taken((0, "work", tuple("A" * length for length in range(1, 1000))))

    [change] = result.changes
    assert change.endswith("'AAAAA' and 994 more: no box can have such a name.")


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 5), st.text(max_size=70), st.lists(st.text(max_size=5)).map(tuple))))
def test_whatever_the_names_the_new_store_can_be_read(opened) -> None:
    result = taken(*opened)

    sealed = vault.wrap(VAULT_KEY, b"pw", cost=vault.Cost(1, 1, 8))
    store = Store(sealed, result.keys)
    assert document.decode(document.encode(store), "keys.ron") == store
    assert {key.blob for key in result.keys} == {KEYS[number].public_data for number, _, _ in opened}
    assert all(is_key_name(key.name) for key in result.keys)
    assert all(change.isprintable() for change in result.changes)
