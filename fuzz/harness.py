"""Run a fuzzer: each input is a file, and every exception that the fuzzer does not expect is a finding.

For example 1200 seconds, with findings and corpus in a folder:

    python fuzz/images.py 1200 findings/images
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import atheris

# A file that takes more seconds or more memory is a finding too.
LIMITS = ("-timeout=20", "-rss_limit_mb=3000", "-max_len=65536")


def run(try_file: Callable[[Path], None], seeds: Mapping[str, bytes]) -> None:
    """Fuzz a function that takes a path and raises for a finding, from the contents of valid files by name."""
    seconds, folder = int(sys.argv[1]), Path(sys.argv[2]).resolve()
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for name, data in seeds.items():
        (corpus / f"seed-{name}").write_bytes(data)
    path = folder / "tried" / "input"
    path.parent.mkdir(exist_ok=True)

    def test_one(data: bytes) -> None:
        path.write_bytes(data)
        try_file(path)

    options = [sys.argv[0], f"-max_total_time={seconds}", f"-artifact_prefix={folder}/", *LIMITS, str(corpus)]
    atheris.Setup(options, test_one)
    atheris.Fuzz()
