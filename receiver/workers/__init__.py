"""Several processes of the service behind one port, and the supervisor that keeps them there."""
