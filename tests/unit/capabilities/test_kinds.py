"""Each capability asks about a kind of its own, so that what is declined of one pauses no other."""

import ast
import os

import litterbox.capabilities
from litterbox.confirm.question import Kind


def test_every_question_of_a_capability_says_its_kind_and_none_is_the_agents():
    kinds = []
    for folder, _folders, names in os.walk(os.path.dirname(litterbox.capabilities.__file__)):
        for name in names:
            if name.endswith(".py"):
                with open(os.path.join(folder, name)) as file:
                    kinds += [_kind_of(call) for call in ast.walk(ast.parse(file.read())) if _is_question(call)]
    assert sorted(kinds) == sorted(kind.name for kind in Kind if kind is not Kind.SSH)


def _is_question(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Question"


def _kind_of(call: ast.Call) -> str:
    [kind] = [keyword.value for keyword in call.keywords if keyword.arg == "kind"]
    assert isinstance(kind, ast.Attribute)
    return kind.attr
