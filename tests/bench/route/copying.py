"""The limit: a loop that copies bytes.

``LIBRARY PARTITIONS SERVERS SOURCE POSITIONS TARGET``. One record out for each that came in.
"""

import sys
from collections.abc import Sequence

from tests.bench.route.libraries import run_on
from tests.bench.route.looping import Consumed, Outputs

if __name__ == "__main__":
    library, partitions, servers, source, positions, target = sys.argv[1:]

    def copied(_: int, records: Sequence[Consumed]) -> Outputs:
        """Return the records as they are."""
        return {target: records}

    run_on(library, int(partitions), servers, source, positions, copied)
