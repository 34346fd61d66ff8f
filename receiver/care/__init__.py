"""The care taken of an account, from outside: what is known of it, and asking for something."""
