"""Runs one of the examples of the first version as it stands.

    python original.py EXAMPLE

It only supplies the names that the example leaves undefined, and lets it await at its top level.
"""

import ast
import asyncio
import inspect
import pathlib
import sys
import types


def my_handler(event: object) -> None:
    print(f"Handled: {type(event).__name__}", flush=True)


async def some_async_operation() -> None:
    await asyncio.sleep(0)


def load(path: pathlib.Path) -> types.ModuleType:
    """The example as a module, its text untouched."""
    module = types.ModuleType(path.stem)
    for name in (my_handler, some_async_operation):
        setattr(module, name.__name__, name)
    code = compile(path.read_text(encoding="utf-8"), str(path), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if code.co_flags & inspect.CO_COROUTINE:

        async def body() -> None:
            await eval(code, module.__dict__)

        asyncio.run(body())
    else:
        exec(code, module.__dict__)
    return module


if __name__ == "__main__":
    load(pathlib.Path(sys.argv[1]))
