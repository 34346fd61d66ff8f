"""How many workers are asked for."""

import os

AUTO = "auto"


def count_of(text: str) -> int:
    """Return the number that ``text`` asks for: "auto", or 0, is one for each CPU.

    Those are the CPUs that this process may use, which can be fewer than the machine has.

    Raises:
        ValueError: it is no such number.
    """
    wanted = 0 if text.strip().lower() == AUTO else int(text)
    if wanted < 0:
        raise ValueError("there cannot be fewer workers than none")
    return wanted or usable_cpus()


def usable_cpus() -> int:
    """Return how many CPUs this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        # Not every system can say it of one process.
        return os.cpu_count() or 1
