"""What an observation costs as the ledger grows, as partitions do, and as accounts do."""
