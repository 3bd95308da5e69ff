"""What a verb raises when it cannot be done: the same for pages, the API and tasks, in every slice."""

from django.core.exceptions import ValidationError


class WrongStatus(Exception):
    """The row is not in a status from which this can be done; the message says in which it is. Pages and API answer 409."""


class Refused(ValidationError):
    """What was asked cannot be done as asked; the message says why and what would work."""
