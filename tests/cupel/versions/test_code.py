from pathlib import Path

import pytest

from cupel.versions.code import Code, Reach

FILES = {
    "pack/__init__.py": "VERSION = '1'\n",
    "pack/inner/__init__.py": "",
    "pack/inner/deep.py": "import numpy as np\nFAR = 1\n\ndef deep():\n    return np.zeros(FAR)\n",
    "pack/side.py": "def side():\n    return 1\n\ndef unused():\n    return 2\n",
    "pack/store.py": "from pack.side import unused\n\ndef write(value):\n    return unused()\n",
    "pack/rules.toml": "a = 1\n",
    "pack/main.py": "",
}


def reach(folder: Path, main: str, option: str = "one", **changed: str) -> Reach:
    for name, text in (FILES | {"pack/main.py": main} | {f"pack/{key}": text for key, text in changed.items()}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return Code(folder, ["pack.store"]).reach([("pack.main", "f")], lambda setting: option)


@pytest.mark.parametrize(
    "main",
    [
        "from pack.inner.deep import deep\n\ndef f():\n    return deep()\n",
        "from pack.inner import deep\n\ndef f():\n    return deep.deep()\n",
        "from pack.inner import deep as d\n\ndef f():\n    return d.deep()\n",
        "import pack.inner.deep\n\ndef f():\n    return pack.inner.deep.deep()\n",
        "import pack.inner.deep as d\n\ndef f():\n    return d.deep()\n",
        "from .inner.deep import deep\n\ndef f():\n    return deep()\n",
        "from . import inner\n\ndef f():\n    return inner.deep.deep()\n",
        "def f():\n    from pack.inner.deep import deep\n    return deep()\n",
        "def f():\n    import pack.inner.deep\n    return pack.inner.deep.deep()\n",
        "try:\n    from pack.inner.deep import deep as go\nexcept ImportError:\n    from pack.side import side as go\n"
        "\ndef f():\n    return go()\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    deep = None\nelse:\n"
        "    from pack.inner.deep import deep\n\ndef f():\n    return deep()\n",
        "from pack.inner import deep\n\ndef f():\n    return run(deep)\n\ndef run(module):\n    return module.deep()\n",
        "from pack.inner.deep import deep\nCHOSEN = {'a': deep}\n\ndef f():\n    return CHOSEN['a']()\n",
        "from pack.inner.deep import deep\n\nclass Base:\n    def run(self):\n        return deep()\n\n"
        "class Own(Base):\n    pass\n\ndef f():\n    return Own().run()\n",
        "from pack.inner.deep import deep\n\n@deep\ndef f():\n    pass\n",
        "from pack.inner.deep import deep\n\ndef f(run=deep):\n    return run()\n",
    ],
)
def test_whatever_way_a_name_comes_it_is_followed(tmp_path: Path, main: str) -> None:
    found = reach(tmp_path, main)
    assert ("pack.inner.deep", "deep") in found.names
    assert found.distributions == {"numpy"}
    changed = reach(tmp_path, main, **{"inner/deep.py": FILES["pack/inner/deep.py"].replace("FAR = 1", "FAR = 2")})
    assert {path for path in found.files if found.files[path] != changed.files[path]} == {"pack/inner/deep.py"}


def test_what_is_not_referred_to_is_not_reached(tmp_path: Path) -> None:
    main = "from pack.side import side\n\ndef f():\n    return side()\n\ndef g():\n    return 3\n"
    before = reach(tmp_path, main)
    assert ("pack.side", "unused") not in before.names
    assert reach(tmp_path, main.replace("return 3", "return 4"), **{
        "side.py": FILES["pack/side.py"].replace("return 2", "return 3"),
    }) == before  # fmt: skip


def test_what_decides_no_value_is_not_followed(tmp_path: Path) -> None:
    found = reach(tmp_path, "from pack.store import write\n\ndef f():\n    return write(1)\n")
    assert list(found.files) == ["pack/main.py"]


def test_only_the_chosen_variant_is_followed(tmp_path: Path) -> None:
    main = (
        "from pack.inner.deep import deep\nfrom pack.side import side\n"
        "WAYS = Variants('a', {'one': deep, 'two': side})\n\ndef f(project):\n    return WAYS.of(project)()\n"
        "\nclass Variants:\n    pass\n"
    )
    assert "pack/side.py" not in reach(tmp_path, main, "one").files
    assert "pack/inner/deep.py" not in reach(tmp_path, main, "two").files
    assert ("pack.side", "side") in reach(tmp_path, main, "two").names


@pytest.mark.parametrize("name", ["rules.toml", "../pack/rules.toml"])
def test_a_data_file_that_is_named_is_part_of_it(tmp_path: Path, name: str) -> None:
    main = f"def f():\n    return open('{name}')\n"
    before = reach(tmp_path, main)
    assert "pack/rules.toml" in before.files
    assert reach(tmp_path, main, **{"rules.toml": "a = 2\n"}).files != before.files


def test_statements_that_act_when_a_module_is_imported_are_part_of_it(tmp_path: Path) -> None:
    main = "from pack.side import side\n\ndef f():\n    return side()\n"
    for acting in ("side.limit = 3\n", "for place in range(3):\n    side.limit = place\n"):
        changed = reach(tmp_path, main, **{"side.py": f"{FILES['pack/side.py']}\n{acting}"})
        assert reach(tmp_path, main).files != changed.files


def test_what_is_not_there_is_an_error_and_not_left_out(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match=r"pack.side: no definition of gone"):
        reach(tmp_path, "from pack.side import gone\n\ndef f():\n    return gone()\n")
    with pytest.raises(KeyError, match=r"pack.main: no definition of f"):
        reach(tmp_path, "def g():\n    pass\n")
