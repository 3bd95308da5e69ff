"""All of Faultline on one machine: PostgreSQL and Redis from wheels, the programs, and what watches over them."""


class CannotStart(Exception):
    """Something needed cannot be started; the message is a sentence with the way out."""
