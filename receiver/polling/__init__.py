"""Polling: asking the providers when a watch is due, and never more than they allow."""
