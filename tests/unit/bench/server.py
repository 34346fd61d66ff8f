"""A server of the load's tests: it answers as it is told, and counts."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Answer = Callable[[int], bytes | None]
"""Given how many requests came before, the answer's bytes.

Empty ends the connection instead, and None leaves it without an answer.
"""


def answer(status: int) -> bytes:
    """Return a complete answer."""
    return b"HTTP/1.1 %d Said\r\nContent-Length: 2\r\n\r\nso" % status


@contextmanager
def serving(script: Answer, pause: float = 0.0) -> Iterator[tuple[str, int]]:
    """Serve requests without a body until the end of the context; yield the address.

    With a ``pause``, in seconds, the second half of each answer comes so much later.
    """
    lock, seen = threading.Lock(), iter(range(1 << 30))

    class Handler(socketserver.StreamRequestHandler):
        # Else the second half of an answer waits for the system at the other end.
        disable_nagle_algorithm = True

        def handle(self) -> None:
            while line := self.rfile.readline():
                if line != b"\r\n":
                    continue
                with lock:
                    number = next(seen)
                said = script(number)
                if said is None:
                    continue
                if not said:
                    return
                middle = len(said) // 2 if pause else 0
                self.wfile.write(said[:middle])
                threading.Event().wait(pause)
                self.wfile.write(said[middle:])
                if b"Connection: close" in said:
                    # What still comes after that is lost.
                    self.rfile.readline()
                    return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 64

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield ("127.0.0.1", server.server_address[1])
        finally:
            server.shutdown()
            thread.join()
