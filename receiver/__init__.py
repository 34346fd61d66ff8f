"""The machine: it receives, polls, routes and publishes, and knows no provider by name."""
