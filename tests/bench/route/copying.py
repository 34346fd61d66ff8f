"""The limit: a loop that copies bytes.

``PARTITIONS SERVERS SOURCE POSITIONS TARGET``. One record out for each that came in.
"""

import sys
from collections.abc import Sequence

import uvloop
from aiokafka import ConsumerRecord

from tests.bench.route.looping import Outputs, loop

if __name__ == "__main__":
    partitions, servers, source, positions, target = sys.argv[1:]

    def copied(records: Sequence[ConsumerRecord]) -> Outputs:
        """Return the records as they are."""
        return {target: records}

    uvloop.run(loop(int(partitions), servers, source, positions, copied))
