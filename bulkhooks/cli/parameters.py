"""Options of the table as parameters of the parser, with what a shell completes for them."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from bulkhooks.config.option import COUNT, FLAG, PATH, PLACE, STORE, Option
from bulkhooks.config.options import of_command

_WORDS: dict[str, tuple[str, ...]] = {
    "locations": ("live",),
    "run": ("last",),
    "account": ("default",),
    "rate": ("none", "60/min", "5000/day"),
    "request_rate": ("none", "1/100ms", "120/min", "5000/h"),
}
"""Words worth offering for options that take other text too."""


class Text(click.types.StringParamType):
    """Text as it is written: ``Option.value`` alone makes a value of it. A shell completes words, else file names."""

    name = "text"

    def __init__(self, words: tuple[str, ...] = (), *, is_path: bool = False) -> None:
        self._words = words
        self._is_path = is_path

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """What may follow what is typed already."""
        del ctx, param
        found = [CompletionItem(word) for word in self._words if word.startswith(incomplete)]
        if self._is_path and not (found and incomplete):
            # The shell itself knows the files; bash forgets the words before this item.
            found.insert(0, CompletionItem(incomplete, type="file"))
        return found


def parameters(command: str) -> list[click.Parameter]:
    """The options of a command; what is not given is None or an empty tuple."""
    return [_parameter(option) for option in of_command(command)]


def _parameter(option: Option) -> click.Option:
    names = [option.name, *filter(None, [option.short])]
    if option.kind == FLAG:
        no = "" if option.name.startswith("no_") else f"/--no-{option.flag[2:]}"
        return click.Option([*names, option.flag + no], is_flag=True, default=None, help=option.help)
    if option.kind == COUNT:
        return click.Option([*names, option.flag], count=True, help=option.help)
    words = option.choices or _WORDS.get(option.name, ())
    return click.Option(
        [*names, option.flag],
        type=Text(words, is_path=option.kind in {PATH, PLACE, STORE}),
        multiple=option.repeatable,
        metavar=option.metavar,
        help=option.help,
    )


def files(name: str, metavar: str, *, several: bool = False, required: bool = False) -> click.Argument:
    """An argument that names a file, or any number of them."""
    if not required:
        metavar = f"[{metavar}]..." if several else f"[{metavar}]"
    return click.Argument(
        [name], type=Text(is_path=True), nargs=-1 if several else 1, required=required, metavar=metavar
    )


CARE = ("prune", "backup", "copy", "path", "check")
"""What may be done with the journal."""


def choice(name: str, words: tuple[str, ...]) -> click.Argument:
    """An argument that is one of some words."""
    return click.Argument([name], type=click.Choice(words), metavar="|".join(words))
