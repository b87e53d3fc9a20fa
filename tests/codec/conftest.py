"""Hypothesis for these tests: slowness is no failure, since the machine may be busy; a failing seed is printed."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "codec", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True, max_examples=60
)
settings.load_profile("codec")
