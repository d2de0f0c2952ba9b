"""Every unit test has a Litterbox of its own, and a runtime folder of its own."""

import pytest


@pytest.fixture(autouse=True)
def own_root(tmp_path_factory, monkeypatch):
    root = tmp_path_factory.mktemp("root")
    monkeypatch.setenv("LITTERBOX_ROOT", str(root / "Litterbox"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(root))
    return root / "Litterbox"
