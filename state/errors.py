"""What can be wrong with a document, as values and as one exception."""

from state.ids import Frozen


class Problem(Frozen):
    """One thing that is wrong in a document, where it stands, and what to write instead.

    Lines and columns count from 1, as editors do; 0 stands for the document as a whole.
    """

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{where(self.file, self.line, self.column)}: {self.message}"


def where(file: str, line: int, column: int) -> str:
    """Name a place as editors read it; a document as a whole has no line."""
    return f"{file}:{line}:{column}" if line else file


class StateError(Exception):
    """Base of everything that this package raises."""


class DocumentError(StateError):
    """A document cannot be used; carries every problem at once, in the order of the file."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class EditError(StateError):
    """An edit of a document did not come out as wished; the text is as it was."""
