"""What any request to a provider must be."""

from handlers.exchange import Request


def judge_path(request: Request) -> None:
    """Check that a path begins with a slash, leads nowhere else, and has no query of its own."""
    assert request.path.startswith("/")
    assert not request.path.startswith("//")
    assert not {"..", "."} & set(request.path.split("/"))
    assert not set(request.path) & set("?#\\ ")
    assert request.path.isascii()
    assert request.path.isprintable()


def judge_sendable(request: Request) -> None:
    """Check that HTTP can carry a request."""
    assert request.method in {"GET", "POST", "PUT", "PATCH", "DELETE"}
    for name, value in request.headers.items():
        assert name == name.lower()
        assert value.isprintable()
    assert request.body == b"" or "content-type" in request.headers
