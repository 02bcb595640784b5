"""Everything that this package raises, by what the caller should do about it.

The disposition is the class: `TransientError` may be tried again as it is, `ReplanError` means that the world
moved and a new plan is needed, `StallError` needs a person. Callers branch on the class, never on the text.
"""

from datetime import timedelta


class ReconcileError(Exception):
    """Base of all. A message says what was tried, on what, what was found, and what to do."""


class TransientError(ReconcileError):
    """Nothing is known to be wrong: the same request may succeed later."""


class UnreachableError(TransientError):
    """No answer, a broken one, or the server's own failure."""


class RateLimitedError(TransientError):
    """GitHub asked for a pause."""

    def __init__(self, message: str, *, retry_after: timedelta | None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class ReplanError(ReconcileError):
    """The world is not what the plan saw; nothing was done under the old plan since."""


class StaleDocumentError(ReplanError):
    """A document changed on the default branch while its plan was being applied."""


class StaleHeadError(ReplanError):
    """A branch that this tool writes commits to has another head than expected."""


class StallError(ReconcileError):
    """A person is needed; trying again changes nothing."""


class UnauthorizedError(StallError):
    """GitHub does not know the token."""


class ForbiddenError(StallError):
    """GitHub knows the token, and refuses."""


class MissingError(StallError):
    """What was asked for does not exist, or the account may not see it."""


class RejectedError(StallError):
    """GitHub understood the request and will not carry it out as it stands."""


class UnexpectedAnswerError(StallError):
    """An answer that is not what GitHub documents; likely an address that is not GitHub's API."""
