"""Entry point: parse the command line, run a command, turn errors into one line and an exit code."""

from __future__ import annotations

import argparse
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from napari_dental_denoise import __version__
from napari_dental_denoise.cli import add_noise, assess, denoise, evaluate, exchange, info, raw_header, train, workflow
from napari_dental_denoise.cli.console import (
    EXIT_BAD_INPUT,
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_STOPPED,
    discard_stdout,
    echo,
    echo_error,
    is_verbose,
    set_verbosity,
)
from napari_dental_denoise.cli.options import named_path
from napari_dental_denoise.config import PROGRAM
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.models import find_model

COMMANDS = (add_noise, train, denoise, evaluate, assess, info, exchange, raw_header, workflow)

DESCRIPTION = """\
Denoise dental radiographs with a U-Net: add known noise, train, denoise, evaluate.
For research and teaching, never for diagnosis."""

EPILOG = """\
exit codes:
  0    all done
  1    done, but some files were left out; each is named on stderr with its reason
  2    nothing done: a file, a folder or an option cannot be used; one line on stderr says why
  70   internal error, or out of memory
  130  stopped with Ctrl-C; training keeps the best model so far

"napari-dental-denoise COMMAND --help" explains a command."""


class Parser(argparse.ArgumentParser):
    """Argument parser that reports an error in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """Print the error and exit."""
        echo_error(f"{message}; see {self.prog} --help")
        self.exit(EXIT_BAD_INPUT)


class PrintCompletion(argparse.Action):
    """Option that prints the completion of all commands for a shell, and ends the program."""

    SHELLS = ("bash", "zsh", "tcsh")

    def __call__(self, parser: argparse.ArgumentParser, _options: object, shell: object, _name: object = None) -> None:
        """Print the script."""
        try:
            import shtab
        except ImportError:
            parser.error(f'completion needs the package shtab: pip install "{PROGRAM}[completion]"')
        for each in (parser, *_subparsers(parser)):
            for action in each._actions:  # noqa: SLF001 (argparse lists them nowhere else)
                if action.type in (Path, named_path, find_model) or action.metavar == "SOURCE":
                    action.complete = shtab.FILE  # type: ignore[attr-defined]  # read by shtab
        echo(shtab.complete(parser, shell=str(shell)))
        parser.exit()


def _subparsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    for action in parser._actions:  # noqa: SLF001 (see above)
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 (it has no public name)
            yield from action.choices.values()


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = Parser(
        prog=PROGRAM, description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument(
        "--print-completion",
        action=PrintCompletion,
        choices=PrintCompletion.SHELLS,
        help="print a script that completes commands, options and files in this shell (extra completion)",
    )
    subparsers = parser.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(subparsers)
    for subparser in subparsers.choices.values():
        _add_verbosity(subparser)
    return parser


def _add_verbosity(parser: argparse.ArgumentParser) -> None:
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument("-q", "--quiet", action="store_true", help="print results and errors only")
    amount.add_argument("-v", "--verbose", action="store_true", help="print each file, and where an error arose")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command of the arguments, by default those of the process, and return its exit code.

    0 done, 1 some files left out, 2 bad input, 70 internal error, 130 stopped.
    """
    try:
        options = build_parser().parse_args(arguments)
        set_verbosity(quiet=options.quiet, verbose=options.verbose)
        return int(options.run(options))
    except InputError as error:
        if is_verbose():
            traceback.print_exc()
        echo_error(str(error))
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        echo_error("stopped")
        return EXIT_STOPPED
    except BrokenPipeError:
        discard_stdout()
        return EXIT_DONE
    except OSError as error:
        echo_error(f"{error.filename or 'the system'}: {error.strerror or error}")
        return EXIT_BAD_INPUT
    # The interpreter's own exit code of 1 would mean that some files were left out.
    except Exception as error:  # noqa: BLE001 (see above)
        traceback.print_exc()
        echo_error(f"internal error ({type(error).__name__}): please report it with the traceback above")
        return EXIT_FAILED
