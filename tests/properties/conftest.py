"""How hard properties are tried: a little and the same every time, or much (``--hypothesis-profile=ci``)."""

from hypothesis import settings

settings.register_profile("ci", max_examples=1000, deadline=None)
# A shared machine must not fail somebody's change by chance or by being slow.
settings.register_profile("default", max_examples=50, deadline=None, derandomize=True)
settings.load_profile("default")
