"""Watches as others see them: asking for one, registering one, listing them."""
