"""What numba imports, and when."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
import numpy as np
from lis_online.compiled import prepare
from lis_online.representation.index import ItemIndex

prepare()
before = set(sys.modules)
ItemIndex().update(np.array([7]), np.array([1]))
print(sorted(name for name in set(sys.modules) - before if name.startswith("numba.np")))
"""


def test_the_first_compiled_call_finds_all_of_numba_imported() -> None:
    """Else a restored worker imports for half a second while its group waits."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip() == "[]", done.stderr
