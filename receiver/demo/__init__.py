"""The demo: the real service between sandboxes and a broker, with a live table of its events."""
