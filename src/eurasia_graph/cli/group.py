"""The group of all commands: errors become one line on stderr and an exit status."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

import click

from eurasia_graph.errors import EurasiaGraphError, UsageError


class Once(click.Command):
    """A command that refuses an option given twice, since the first value would be silently ignored."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """
        Find options given more than once, before they are converted.

        Raises:
            UsageError: If an option is given twice.
        """
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        seen: dict[str | None, click.Parameter] = {}
        for each in order:
            if not isinstance(each, click.Option) or each.multiple:
                continue
            before = seen.setdefault(each.name, each)
            if before is not each:
                raise UsageError(f"{before.opts[0]} and {each.opts[0]} exclude each other; give one of them")
            if order.count(each) > 1 and not each.is_flag:
                raise UsageError(f"{each.opts[0]} is given {order.count(each)} times; give it once")
        return super().parse_args(ctx, args)


class Commands(click.Group):
    """A group that turns errors into a line on stderr and the matching exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; the one place where errors are caught."""
        with suppress(AttributeError):
            # A file name may contain bytes that are not UTF-8: they are escaped instead of raising an error.
            sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        try:
            return super().invoke(ctx)
        except MemoryError as error:
            told = "it holds a value of more than 16 MiB" if "buffer" in str(error) else "there is not enough memory"
            click.echo(f"the input cannot be read: {told}; make it smaller", err=True)
            ctx.exit(1)
        except RecursionError:
            click.echo("the input cannot be read: it is nested too deeply; write it with fewer brackets", err=True)
            ctx.exit(1)
        except UsageError as error:
            raise click.UsageError(str(error)) from None
        except EurasiaGraphError as error:
            click.echo(str(error), err=True)
            ctx.exit(1)
        except BrokenPipeError:
            # The reader of stdout has closed the pipe, which is not an error: `… | head`.
            sys.stderr.close()
            ctx.exit(0)

    command_class = Once

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Keep the order in which the commands were added, which is the order of use."""
        return list(self.commands)
