"""Each lock-free module compiles alone, as C11 and nothing else: any checker can take it."""

from __future__ import annotations

import subprocess

import pytest
import tree

MODULES = ("dp_ring", "dp_queue", "dp_skiplist", "dp_skiplist_multi", "dp_epoch", "dp_pool")


def sources(module: str) -> list[str]:
    """Return the module's files: its header by itself, and its sources."""
    return [f"{module}.h", *(
        name.rsplit("/", 1)[1]
        for name in tree.ending(".c", under=f"dataplane/core/{module}")
        if module == "dp_skiplist_multi" or name.endswith(f"/{module}.c")
    )]  # fmt: skip


STRICT = ("-std=c11", "-pedantic-errors", "-Wall", "-Wextra", "-Werror", "-march=x86-64-v3")


@pytest.mark.parametrize("module", MODULES)
def test_a_lock_free_module_compiles_alone(module: str):
    for name in sources(module):
        done = subprocess.run(
            ["cc", *STRICT, "-fsyntax-only", "-x", "c", f"dataplane/core/{name}"],
            cwd=tree.ROOT, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, f"{name}: {done.stderr}"
