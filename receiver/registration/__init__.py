"""Registration: keeping our webhooks registered at the providers, and knowing that they work."""
