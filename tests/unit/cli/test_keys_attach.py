"""`keys attach` understands the wrong order of its arguments where only that order makes sense."""

import os

import pytest

from litterbox import paths
from litterbox.cli import main
from litterbox.errors import IdentityError, NoSuchBox
from litterbox.keys import store


@pytest.fixture(autouse=True)
def key_and_box(monkeypatch, capsys):
    monkeypatch.setenv("LITTERBOX_PASSWORD_COMMAND", "echo secret")
    define("work")
    assert main.run(["keys", "generate", "github"]) == 0
    capsys.readouterr()


def define(box: str) -> None:
    os.makedirs(paths.build_context(box))
    with open(paths.dockerfile(box), "w") as file:
        file.write("FROM scratch\n")


def boxes_of(key: str) -> list[str]:
    return [attachment.box for attachment in store.find(store.load(paths.key_store()), key).attachments]


def test_the_right_order(capsys):
    assert main.run(["keys", "attach", "github", "work"]) == 0
    assert boxes_of("github") == ["work"]
    assert "the order is" not in capsys.readouterr().err


@pytest.mark.parametrize("boxes", [[], ["github"]])
def test_the_wrong_order_is_understood(boxes, capsys):
    for box in boxes:
        define(box)
    assert main.run(["keys", "attach", "work", "github"]) == 0
    assert boxes_of("github") == ["work"]
    assert "github is the key and work is the box: the order is KEY BOX." in capsys.readouterr().err


def test_a_key_with_a_name_that_no_box_can_have():
    assert main.run(["keys", "generate", "Git.Hub"]) == 0
    assert main.run(["keys", "attach", "work", "Git.Hub"]) == 0
    assert boxes_of("Git.Hub") == ["work"]


def test_where_both_orders_make_sense_the_documented_one_counts():
    define("github")
    assert main.run(["keys", "generate", "work"]) == 0
    assert main.run(["keys", "attach", "work", "github"]) == 0
    assert boxes_of("work") == ["github"]
    assert boxes_of("github") == []


def test_where_no_order_makes_sense_the_missing_one_is_named():
    with pytest.raises(NoSuchBox, match="There is no box other"):
        main.run(["keys", "attach", "github", "other"])
    with pytest.raises(IdentityError, match="other"):
        main.run(["keys", "attach", "other", "work"])
