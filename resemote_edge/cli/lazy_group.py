"""LazyGroup: commands whose modules are imported when they are asked for, and a command that need not be named."""

from importlib import import_module
from typing import Any

import click

__all__ = ["LazyGroup"]


class LazyGroup(click.Group):
    """A group that imports a command when it is asked for.

    Args:
        commands_at: Commands as ``module:function``, by name, in the order that ``--help`` lists them.
        default: Command that is run if none is named; None for none. ``./NAME`` is always an argument of it.
    """

    def __init__(self, *args: Any, commands_at: dict[str, str], default: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._commands_at, self._default = commands_at, default

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands, in their order."""
        return list(self._commands_at)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        if cmd_name not in self._commands_at:
            return None
        module, _, function = self._commands_at[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), function)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command in front of arguments that name none."""
        named = bool(args) and (args[0] in self._commands_at or args[0] in ctx.help_option_names)
        if self._default is not None and not named:
            args = [self._default, *args]
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the default command's options, then the commands."""
        if self._default is None:
            super().format_options(ctx, formatter)
            return
        command = self.get_command(ctx, self._default)
        assert command is not None
        records = [record for option in command.get_params(ctx) if (record := option.get_help_record(ctx)) is not None]
        with formatter.section("Options"):
            formatter.write_dl(records)
        self.format_commands(ctx, formatter)
