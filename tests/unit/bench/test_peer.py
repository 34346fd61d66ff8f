"""Anybody's server can be named as the peer."""

import pytest

from tests.bench.bench import Peer
from tests.bench.peer import target_of
from tests.bench.receive.traffic import Target


def test_a_url_and_headers_name_where_the_load_goes() -> None:
    """With a path, a query and a port, or the usual ones."""
    assert target_of(Peer("http://127.0.0.1:4195/post?a=b", "X-A: 1; X-B: 2")) == Target(
        4195, "127.0.0.1", "/post?a=b", (("X-A", "1"), ("X-B", "2"))
    )
    assert target_of(Peer("http://peer")) == Target(80, "peer", "/")


@pytest.mark.parametrize("peer", [Peer("https://peer"), Peer("peer:80"), Peer("http://p", "X")])
def test_what_cannot_be_used_is_said(peer: Peer) -> None:
    """Before anything is started."""
    with pytest.raises(SystemExit):
        target_of(peer)
