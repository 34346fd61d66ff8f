"""What can be wrong with a spool."""


class SpoolFull(Exception):
    """There is no room left within ``spool.max_bytes``."""


class SpoolFailed(Exception):
    """The disk or the file cannot be trusted any more; ``str()`` says why.

    After one failed write the whole file counts as failed: an fsync that failed once may report
    success later, for pages that were never written.
    """


class SpoolSlow(Exception):
    """The disk does not answer; ``str()`` says for how long. What was to be written may be yet."""
