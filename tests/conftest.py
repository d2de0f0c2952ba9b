"""For every test: nothing is written beside the tests, whose folder may be read-only."""

from hypothesis import settings

settings.register_profile("anywhere", database=None)
settings.load_profile("anywhere")
