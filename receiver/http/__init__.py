"""The two HTTP listeners: the public one for webhooks, the private one for operators."""
