"""What a person has to correct in what they asked for."""


class UsageError(Exception):
    """A request cannot be carried out as it was written; carries every problem at once, for the person who did."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))
