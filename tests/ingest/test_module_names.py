"""What can be imported from a module, by its source alone."""

from __future__ import annotations

import pytest

from ingest.module_names import read


def _names(code: str, module: str = "lib.sub", *, is_package: bool = False) -> set[str]:
    return read(code.encode(), module, is_package).names


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("def f(): x = 1\nasync def g(): ...\nclass C:\n    y = 1", {"f", "g", "C"}),
        ("a = b = 1\nc: int = 2\nd, (e, *f) = t\ng += 1", {"a", "b", "c", "d", "e", "f", "g"}),
        ("import os\nimport a.b\nimport c.d as e\nfrom x import y, z as w", {"os", "a", "e", "y", "w"}),
        (
            "if x:\n    a = 1\nelse:\n    b = 1\ntry:\n    c = 1\nexcept E:\n    d = 1\nfinally:\n    e = 1",
            set("abcde"),
        ),
        ("for a in x:\n    b = 1\nwith x as c:\n    pass\nwhile (d := f()):\n    pass", set("abcd")),
        ("x = [a for a in y]\nz = lambda b: b", {"x", "z"}),
        ("def f():\n    global cache\n    cache = 1", {"f", "cache"}),
        ("import sys\nif sys.version_info >= (3, 12):\n    a = 1\nelse:\n    b = 1", {"sys", "b"}),
        ("import sys\nif sys.version_info < (3, 11):\n    a = 1\nelif x:\n    b = 1", {"sys", "b"}),
        ("match x:\n    case [a, *b]:\n        c = 1", {"a", "b", "c"}),
    ],
)
def test_top_level_names_are_found(code: str, names: set[str]) -> None:
    """Whatever is bound when the module is loaded with our Python, and nothing that is bound later."""
    assert _names(code) == names


@pytest.mark.parametrize(
    ("code", "module", "is_package", "stars"),
    [
        ("from os import *", "lib", True, ["os"]),
        ("from .a import *", "lib", True, ["lib.a"]),
        ("from .a import *", "lib.sub", False, ["lib.a"]),
        ("from . import *", "lib.sub", False, ["lib"]),
        ("from ..a.b import *", "lib.sub.mod", False, ["lib.a.b"]),
    ],
)
def test_names_that_are_taken_over_are_followed(code: str, module: str, is_package: bool, stars: list[str]) -> None:
    """`from … import *` names its module, also by a relative path."""
    assert read(code.encode(), module, is_package).stars == stars


@pytest.mark.parametrize(
    "code",
    [
        "def __getattr__(name): return load(name)",
        "from lazy import __getattr__",
        "__getattr__ = lazy(__name__)",
        "globals()['a'] = 1",
        "globals().update(a=1)",
        "g = globals()\ng['a'] = 1",
        "make(globals())",
        "import sys\nsetattr(sys.modules[__name__], 'a', 1)",
    ],
)
def test_a_module_that_makes_names_is_open(code: str) -> None:
    """Nothing is said about what it lacks, unless it writes out what it has."""
    assert read(code.encode(), "lib", is_package=True).more_names
    closed = read(f"{code}\n__all__ = ['a']\nLAZY = {{'later': 1}}".encode(), "lib", is_package=True)
    assert not closed.more_names
    assert "later" in closed.names


@pytest.mark.parametrize(
    "code", ["import sys\nsys.modules[__name__] = Lazy()", "exec('a = 1')", "old, new = recreate_module(__name__)"]
)
def test_a_module_that_replaces_itself_is_open_in_any_case(code: str) -> None:
    """Its names and its submodules are anybody's guess."""
    source = read(f"{code}\n__all__ = ['a']".encode(), "lib", is_package=True)
    assert source.more_names
    assert source.more_modules


@pytest.mark.parametrize(
    ("code", "exported"),
    [
        ("__all__ = ['a', 'b']\n__all__ += ['c']", {"a", "b", "c"}),
        ("__all__: tuple[str, ...] = ('a',)", {"a"}),
        ("__all__ = a.__all__ + b.__all__", None),
        ("__all__ = ['a']\nfor n in x:\n    __all__.append(n)", None),
        ("a = 1", None),
    ],
)
def test_written_out_exports_are_read(code: str, exported: set[str] | None) -> None:
    """Only where the list can be read whole."""
    assert read(code.encode(), "lib", is_package=True).exported == exported


def test_a_name_may_be_put_into_another_module() -> None:
    """`base.dialect = …` makes a name of `base`."""
    source = read(b"from . import base\nimport os.path as p\nbase.dialect = 1\np.x = 2\nown.y = 3", "lib", True)
    assert source.gives == [("lib.base", "dialect"), ("os.path", "x")]


def test_what_is_no_python_is_refused() -> None:
    """A template or a file for another version cannot be read."""
    with pytest.raises(SyntaxError):
        read(b"{{ name }} = ", "lib", is_package=False)
