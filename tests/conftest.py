"""What holds for all tests."""

from hypothesis import HealthCheck, settings

# A busy machine is slow, not wrong: the time limit is the test run's own (see pyproject).
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
