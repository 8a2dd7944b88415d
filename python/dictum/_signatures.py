"""What is wrong with the arguments of a call, in Python's words and not in those of the binding."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_BINDING = "incompatible function arguments"


def plain(function: Callable[P, R]) -> Callable[P, R]:
    """An argument of a wrong type is a TypeError of one sentence that names the call and what it was given."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            if _BINDING not in str(error):
                raise
            name = function.__qualname__.removesuffix(".__init__")
            own = args[1:] if "." in function.__qualname__ else args  # without the object, which may not be one yet
            given = [repr(each) for each in own] + [f"{key}={each!r}" for key, each in kwargs.items()]
            wrong = f"{name} cannot take ({', '.join(given)})"
        raise TypeError(f"{wrong}: a value has a wrong type, or is too large.")

    return call
