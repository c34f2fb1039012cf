"""What ends a command with a sentence instead of a result."""


class Failed(Exception):
    """The sentence that is printed. `code` is the exit code: 1 for what was asked, 2 for how it was asked."""

    def __init__(self, sentence: str, *, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code
