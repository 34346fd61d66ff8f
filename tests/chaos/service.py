"""The service with a wall clock that can be set: ``python -m tests.chaos.service serve …``.

It is the real command. Only the wall clock is another: the system's, plus the offset in seconds
(a double in native order) that the file named by ``CHAOS_CLOCK`` holds at the moment.
"""

import mmap
import os
import struct
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

OFFSET = struct.Struct("d")


def set_clock(file: Path, offset: float) -> None:
    """Set the clock of the service that runs with ``file``: ``offset`` seconds off the system's."""
    # Overwritten in place: the service has the file mapped.
    with file.open("r+b" if file.exists() else "w+b") as clock:
        clock.write(OFFSET.pack(offset))


def _shift(file: Path) -> None:
    """Replace the wall clock before anything of the service, or of its libraries, is imported."""
    with file.open("rb") as clock:
        mapped = mmap.mmap(clock.fileno(), OFFSET.size, prot=mmap.PROT_READ)
    system = time.time

    def shifted() -> float:
        return system() + float(OFFSET.unpack(mapped[:])[0])

    time.time = shifted
    from handlers import clock as service_clock

    service_clock.utc_now = lambda: datetime.fromtimestamp(shifted(), UTC)
    _stamp_records(shifted)


def _stamp_records(clock: Callable[[], float]) -> None:
    """Let records bear the time of ``clock``: aiokafka's compiled code asks the system itself."""
    from aiokafka.producer.message_accumulator import BatchBuilder

    append = BatchBuilder.append

    def stamped(builder: BatchBuilder, *, timestamp: int | None, **fields: Any) -> Any:
        moment = round(clock() * 1000) if timestamp is None else timestamp
        return append(builder, timestamp=moment, **fields)

    BatchBuilder.append = stamped


if __name__ == "__main__":
    _shift(Path(os.environ["CHAOS_CLOCK"]))
    from receiver.cli import main

    main()
