"""Failures in words for people."""


def without_path(error: Exception) -> str:
    """Return what went wrong; of a file without its path, which stands beside it already."""
    return (isinstance(error, OSError) and error.strerror) or str(error)
