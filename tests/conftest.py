"""Settings for all tests."""

from hypothesis import settings

# The same examples in every run, and no verdict that depends on how busy the machine is.
# ``pytest --hypothesis-profile explore`` looks further, with other examples each time.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile("steady")
