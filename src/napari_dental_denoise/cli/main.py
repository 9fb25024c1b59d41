"""Parse the command line, run one command, and turn every error into one line and an exit code."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from napari_dental_denoise import __version__
from napari_dental_denoise.cli import add_noise, convert, denoise, evaluate, info, train, workflow
from napari_dental_denoise.cli.console import EXIT_BAD_INPUT, EXIT_FAILED, EXIT_STOPPED, complain
from napari_dental_denoise.errors import InputError

COMMANDS = (add_noise, train, denoise, evaluate, info, convert, workflow)

DESCRIPTION = """\
Denoise dental radiographs with a U-Net: add known noise, train, denoise, evaluate.
For research and teaching, never for diagnosis."""

EPILOG = """\
exit codes:
  0    all done
  1    done, but some files were left out; each is named on stderr with its reason
  2    nothing done: a file, a folder or an option cannot be used; one line on stderr says why
  70   failed for want of memory, or by a fault of the program or of a library
  130  stopped with Ctrl-C; training keeps the best model so far

"napari-dental-denoise COMMAND --help" explains a command."""


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong, without all that would be right."""

    def error(self, message: str) -> NoReturn:
        """Complain and end."""
        complain(f"{message}; {self.prog} --help explains")
        self.exit(EXIT_BAD_INPUT)


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = Parser(
        prog="napari-dental-denoise",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    subparsers = parser.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(subparsers)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        The process's own by default.

    Returns
    -------
    int
        Exit code: 0 done, 1 some files left out, 2 bad input, 70 failed, 130 stopped.
    """
    options = build_parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except InputError as error:
        complain(str(error))
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        complain("stopped")
        return EXIT_STOPPED
    except BrokenPipeError:
        # The reader went away, as `head` does: nothing more may be written, and the work is not done.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BAD_INPUT
    except OSError as error:
        complain(f"{error.filename or 'the system'}: {error.strerror or error}")
        return EXIT_BAD_INPUT
    # Python's own code for it, 1, would say that the work is done.
    except Exception as error:  # noqa: BLE001 (see above)
        traceback.print_exc()
        complain(f"failed ({type(error).__name__}), which is no fault of the input; the lines above tell where")
        return EXIT_FAILED
