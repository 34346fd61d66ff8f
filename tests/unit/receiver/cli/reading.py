"""Reading what the command prints."""


def plain(text: str) -> str:
    """Return the words of a message about wrong usage, without the frame around them."""
    return " ".join(text.replace("│", " ").split())
