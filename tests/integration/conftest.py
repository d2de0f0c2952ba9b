"""The parts that the integration tests share: a display with a person before it."""

import pytest
from support.display import virtual_display


@pytest.fixture
def display():
    with virtual_display() as shown:
        yield shown
