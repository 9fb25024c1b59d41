"""The source keeps its structure: small folders and modules, and packages that import each other by their faces."""

import ast
import re
import symtable
from functools import cache
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.quick

NAME = "napari_dental_denoise"
ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / NAME
MAX_MODULES, MAX_LINES = 15, 300
MODULES = sorted(SOURCE.rglob("*.py"))
# The forms of the plugin are packages, too.
PACKAGES = sorted(path.parent for path in MODULES if path.name == "__init__.py")
FACES = PACKAGES[1:]
OTHER_CODE = [path for folder in ("benchmarks", "docs", "fuzz") for path in sorted((ROOT / folder).rglob("*.py"))]


def dotted(path):
    """Return the import name of a module's file or of a package's folder."""
    parts = path.relative_to(SOURCE).parts
    return ".".join((NAME, *parts)).removesuffix(".py").removesuffix(".__init__")


@cache
def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path):
    """Return (module, name) of each import of our own modules; the name is None where a whole module is imported."""
    found = []
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == NAME:
            found += [(node.module, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [(alias.name, None) for alias in node.names if alias.name.split(".")[0] == NAME]
    return found


@cache
def exports(package):
    """Return (module, name) of what a package exports: of its stub, or of its imports where it has none."""
    stub = package / "__init__.pyi"
    if not stub.exists():
        return [(module.rpartition(".")[2], name) for module, name in imports(package / "__init__.py")]
    statements = [node for node in parse(stub).body if isinstance(node, ast.ImportFrom)]
    return [(node.module, alias.name) for node in statements for alias in node.names]


def package_of(module):
    """Return the folder of the innermost package that a module lies in; None for a module beside the packages."""
    holders = [package for package in FACES if f"{module}.".startswith(f"{dotted(package)}.")]
    return max(holders, key=lambda package: len(package.parts), default=None)


def defined_in(path):
    """Return the names that a module defines or imports at its top level."""
    symbols = symtable.symtable(path.read_text(encoding="utf-8"), str(path), "exec").get_symbols()
    return {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}


@pytest.mark.parametrize("package", PACKAGES, ids=dotted)
def test_a_package_holds_few_modules(package):
    assert len([path for path in package.glob("*.py") if path.name != "__init__.py"]) <= MAX_MODULES


def test_modules_are_short():
    lengths = {dotted(path): path.read_text(encoding="utf-8").count("\n") for path in MODULES}
    assert {module: length for module, length in lengths.items() if length > MAX_LINES} == {}


def test_docstrings_say_what_is_returned_or_done():
    """A question word at the head has to be read twice."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for path in MODULES for node in ast.walk(parse(path)) if isinstance(node, kinds)]
    heads = [docstring for docstring in map(ast.get_docstring, nodes) if docstring]
    assert [head for head in heads if re.match(r"(What|Whether|How|Where|Which)\b", head)] == []


def test_every_folder_of_modules_is_a_package():
    assert {path.parent for path in MODULES} == set(PACKAGES)


def test_packages_import_each_other_by_their_faces():
    violations = []
    for path in MODULES:
        for module, name in imports(path):
            package = package_of(module)
            if package in {None, path.parent}:
                continue
            if module != dotted(package) or name not in {exported for _, exported in exports(package)}:
                violations.append(f"{dotted(path)} imports {name} from {module}")
    assert violations == []


@pytest.mark.parametrize("package", FACES, ids=dotted)
def test_a_face_says_what_its_package_holds_and_may_import(package):
    purpose, _, rule = ast.get_docstring(parse(package / "__init__.py")).partition("May import ")
    assert purpose.strip()
    assert rule.endswith(".")
    for name in re.findall(r"`([\w.]+)`", rule):
        path = SOURCE.joinpath(*name.split("."))
        assert path.is_dir() or path.with_suffix(".py").is_file(), f"{name} does not exist"


def users():
    """Return (package, name) of all that is taken from a face: by imports, the manifest, a script or the public API."""
    found = {use for path in OTHER_CODE for use in imports(path)}
    for path in MODULES:
        found |= {(module, name) for module, name in imports(path) if module != dotted(path.parent)}
    commands = yaml.safe_load((SOURCE / "napari.yaml").read_text(encoding="utf-8"))["contributions"]["commands"]
    found |= {tuple(command["python_name"].split(":")) for command in commands}
    found |= set(re.findall(rf'"({NAME}[\w.]*):(\w+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    return found | {(f"{NAME}.{module}", name) for module, name in exports(SOURCE)}


def test_a_face_exports_only_what_others_use():
    used = users()
    exported = [(dotted(package), name) for package in FACES for _, name in exports(package)]
    assert [use for use in exported if use not in used] == []


@pytest.mark.parametrize("package", PACKAGES, ids=dotted)
def test_what_a_face_exports_exists(package):
    for module, name in exports(package):
        path = package / f"{module}.py"
        found = defined_in(path) if path.exists() else {exported for _, exported in exports(package / module)}
        assert name in found, f"{module} has no {name}"


@pytest.mark.parametrize(
    "package", [package for package in PACKAGES if (package / "__init__.pyi").exists()], ids=dotted
)
def test_no_lazy_name_is_that_of_a_module(package):
    """After its first import, the module would stand in the object's place."""
    modules = {path.stem for path in package.iterdir()}
    assert {name for _, name in exports(package)} & modules == set()


def test_the_tests_mirror_the_source():
    tests = ROOT / "tests"
    folders = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")}
    assert [folder for folder in sorted(folders) if not (SOURCE / folder).is_dir()] == []
    tested = {folder.parts[0] for folder in folders if folder.parts}
    assert {package.name for package in FACES if package.parent == SOURCE} == tested
