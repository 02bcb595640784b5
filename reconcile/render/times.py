"""Times as people read them: how long ago, when, and how long; coarse, and in UTC."""

from datetime import UTC, datetime, timedelta

_MINUTES_UNTIL, _HOURS_UNTIL = 60, 48
"""Up to so many minutes or hours they are what a span is told in."""
_SAME_WEEK = timedelta(days=6)
"""Within this a weekday has no other day of its name."""


def render_time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def render_age(moment: datetime, now: datetime) -> str:
    """Say how long ago something was, as of the writing, and when."""
    ago = f"{render_span(now - moment)} ago" if now - moment >= timedelta(minutes=1) else "just now"
    return f"{ago} ({render_moment(moment, now)})"


def render_moment(moment: datetime, now: datetime) -> str:
    """Name a moment by its weekday where that is near enough to be the only one of its name."""
    near = abs(moment - now) < _SAME_WEEK
    return f"{moment.astimezone(UTC):%a %H:%M} UTC" if near else render_time(moment)


def render_span(time: timedelta) -> str:
    """Say how long something is, coarsely: nobody decides by the minute, and runs of one hour write the same.

    Nothing is shorter than nothing: a commit's time is that of whoever made it, whose clock may be ahead.
    """
    time = max(time, timedelta())
    minutes, hours = round(time / timedelta(minutes=1)), round(time / timedelta(hours=1))
    if minutes <= _MINUTES_UNTIL:
        return f"{minutes} min"
    return f"{hours} h" if hours <= _HOURS_UNTIL else f"{round(time / timedelta(days=1))} days"
