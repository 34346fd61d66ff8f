"""Settings for all tests."""

import gc
import signal

import structlog
from hypothesis import settings

# The same examples in every run, and no verdict that depends on how busy the machine is.
# ``pytest --hypothesis-profile explore`` looks further, with other examples each time.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile("steady")

# What a test logs is shown if it fails. Tracebacks with all local variables in frames, as structlog
# draws them unless it is told otherwise, would cost more than most tests.
*_prepare, _ = structlog.get_config()["processors"]
_plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*_prepare, _plain])

# A shell that runs the tests in the background has them, and all processes they start, ignore
# Ctrl-C: those that show what it does would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Have the garbage collector look less often, and never at what stays for the whole run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)
