"""The accounts at work, the folder they may come from, and the providers that are installed."""
