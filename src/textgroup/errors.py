"""The error for bad input: one line for the user, never a traceback."""


class InputError(ValueError):
    """Bad input. The message is one line that names the thing, its value and the remedy.

    The command line prints it and exits with status 2; in Python it is a `ValueError`.
    """
