"""How often a test repeats what it repeats: few times in the usual run, and as often as it says with `--long`."""

import os


def repeated(whole: int, *, usual: int) -> int:
    """Return `usual`, or `whole` where `tools/test --long` has set LITTERBOX_TEST_LONG."""
    return whole if "LITTERBOX_TEST_LONG" in os.environ else usual
