"""Settings for all tests."""

import signal

from hypothesis import settings

# The same examples in every run, and no verdict that depends on how busy the machine is.
# ``pytest --hypothesis-profile explore`` looks further, with other examples each time.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile("steady")

# A shell that runs the tests in the background has them, and all processes they start, ignore
# Ctrl-C: those that show what it does would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
