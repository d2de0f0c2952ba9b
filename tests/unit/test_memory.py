"""The allocator of a daemon is not its children's; garbage of any age is collected when memory is given back."""

import gc
import os
import subprocess
import sys
import weakref

import pytest

from litterbox import memory

CHILD = """
import os, subprocess, sys
from litterbox import memory
memory.prepare()
subprocess.run([sys.executable, "-c", "import os; print(os.environ.get('PYTHONMALLOC'))"], check=True)
"""


@pytest.fixture
def collector():
    """Leaves the garbage collector of this process as it was."""
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


def test_children_do_not_inherit_the_allocator():
    environment = {**os.environ, **memory.ENVIRONMENT}
    done = subprocess.run([sys.executable, "-c", CHILD], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"


class Node:
    pass


def test_garbage_of_any_age_is_collected_when_memory_is_given_back(collector):
    memory.settle()
    node = Node()
    node.itself = node
    gc.collect(0)
    gc.collect(1)  # it is of the oldest generation now
    gone = weakref.ref(node)
    del node
    memory.give_back()
    assert gone() is None
