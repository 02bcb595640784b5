"""Everything that this package raises, by what the caller should do about it.

The disposition is the class: `TransientError` may be tried again as it is, `ReplanError` means that the world
moved and a new plan is needed, `StallError` needs a person. Callers branch on the class, never on the text.
"""

from datetime import timedelta

_LONGEST_PAUSE = timedelta(seconds=60)
"""A longer pause than this is for whoever can do something else meanwhile."""


class ReconcileError(Exception):
    """Base of all. A message says what was tried, on what, what was found, and what to do."""


class TransientError(ReconcileError):
    """Nothing is known to be wrong: the same request may succeed later."""


class UnreachableError(TransientError):
    """No answer, a broken one, or the server's own failure."""


class RateLimitedError(TransientError):
    """GitHub asked for a pause, and carried out nothing."""

    def __init__(self, message: str, *, retry_after: timedelta | None) -> None:
        self.retry_after = retry_after
        super().__init__(message)

    @property
    def pause(self) -> float | None:
        """How many seconds to wait before trying again; none where it is too long to sit out."""
        if self.retry_after is None or self.retry_after > _LONGEST_PAUSE:
            return None
        return self.retry_after.total_seconds()


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
