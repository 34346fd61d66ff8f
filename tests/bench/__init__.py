"""Benchmarks: programs, not timed tests. ``make bench`` runs them; docs/performance.md reports."""
