"""`shizi completion`: the completion script of a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from shizi.errors import InvalidRequest

INSTALL = {
    "bash": "shizi completion bash > ~/.local/share/bash-completion/completions/shizi",
    "zsh": 'shizi completion zsh > "${fpath[1]}/_shizi"',
    "fish": "shizi completion fish > ~/.config/fish/completions/shizi.fish",
}


@click.command("completion")
@click.argument("shell", type=click.Choice(tuple(INSTALL)))
def completion(shell: str) -> None:
    """Print the script that completes commands in a shell.

    \b
    To install it:
      bash  shizi completion bash > ~/.local/share/bash-completion/completions/shizi
      zsh   shizi completion zsh > "${fpath[1]}/_shizi"
      fish  shizi completion fish > ~/.config/fish/completions/shizi.fish
    """
    from shizi.cli.main import shizi

    kind = get_completion_class(shell)
    if kind is None:
        raise InvalidRequest(f"no completion for {shell}; it exists for {', '.join(INSTALL)}")
    click.echo(kind(shizi, {}, "shizi", "_SHIZI_COMPLETE").source())
