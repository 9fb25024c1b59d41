"""Small files of many kinds, which other libraries wrote, are read right or refused for what they are."""

import importlib
from collections import Counter
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_files_of_all_kinds_are_read_right_or_refused_with_a_true_reason(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    corpus, trust = (importlib.import_module(name) for name in ("corpus", "trust"))
    counts = Counter(map(trust.judged, corpus.corpus(tmp_path)))
    assert capsys.readouterr().err == ""
    assert set(counts) == {"right", "refused with the reason"}
    assert counts.total() > 500
