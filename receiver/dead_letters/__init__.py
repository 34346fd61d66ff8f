"""Dead letters from outside: finding them, showing them, and trying them again."""
