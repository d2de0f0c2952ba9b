"""For every test: nothing is written beside the tests, whose folder may be read-only; several runs can share them."""

import os

import pytest
from hypothesis import settings
from support.claims import Claims

settings.register_profile("anywhere", database=None)
settings.load_profile("anywhere")


def pytest_configure(config: pytest.Config) -> None:
    """Take part in a run of several at once where LITTERBOX_TEST_CLAIMS names the folder that they share."""
    folder = os.environ.get("LITTERBOX_TEST_CLAIMS")
    if folder:
        config.pluginmanager.register(Claims(folder))
