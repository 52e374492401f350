"""Options that several verbs share, and the types of their values."""

from collections.abc import Callable
from datetime import date
from typing import Any

import click


class Date(click.ParamType):
    """A day, as 2013-07-01."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the day; a text that is none is wrong usage."""
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no date; write it as 2013-07-01", param, ctx)


DATE = Date()


def window(first: str = "first day", after: str = "first day after") -> Callable[[Any], Any]:
    """Take `--from` and `--to` as `start` and `end`."""

    def with_window(function: Any) -> Any:
        end = click.option("--to", "end", type=DATE, metavar="DATE", help=after)
        start = click.option("--from", "start", type=DATE, metavar="DATE", help=first)
        return start(end(function))

    return with_window


def not_with(other: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Return the callback of an option that may not stand beside `other`, as "--note"; both have one."""
    name = other.removeprefix("--").replace("-", "_")

    def check(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
        if value and ctx.params.get(name):
            raise click.BadParameter(f"not allowed with {other}", ctx, param)
        return value

    return check
