"""Every public function and class has examples in its docstring, and they do what they say."""

import doctest
import inspect

import pytest

import napari_dental_denoise

DOCUMENTED = [
    name
    for name in napari_dental_denoise.__all__
    if inspect.isfunction(getattr(napari_dental_denoise, name)) or inspect.isclass(getattr(napari_dental_denoise, name))
]


@pytest.mark.parametrize("name", DOCUMENTED)
def test_examples_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    public = getattr(napari_dental_denoise, name)
    found = [test for test in doctest.DocTestFinder().find(public, name) if test.examples]
    assert found
    runner, output = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE), []
    for test in found:
        runner.run(test, out=output.append)
    assert not runner.failures, "".join(output)
