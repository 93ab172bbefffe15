"""Pickles that call functions when they are loaded."""


class Call:
    """Pickled as the call of a function, and as the state that its result is given then.

    Args:
        function (Callable): Found by its name when the pickle is loaded.
        *args: Of the call.
        state (object, optional): For the result's ``__setstate__``.
    """

    def __init__(self, function, *args, state=None):
        self.parts = (function, args) if state is None else (function, args, state)

    def __reduce__(self):
        return self.parts
