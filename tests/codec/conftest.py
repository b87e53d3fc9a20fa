"""Hypothesis for these tests: no deadline, since a busy machine is no failure; a failing seed is printed."""

from hypothesis import settings

settings.register_profile("codec", deadline=None, print_blob=True, max_examples=60)
settings.load_profile("codec")
