"""Tables of pairs that do not fit in memory, in a process that may not have more."""

import subprocess
import sys

SCRIPT = """
import resource
import torch
from lis_online.errors import SettingsError
from lis_online.preference.leak import Leak
from lis_online.settings import Settings
from lis_online.shards.pair_intake import PairIntake

settings = Settings.of({"preference": [{"name": "coclick"}], "leakage": {"sketch_bits": 28}})
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
try:
    PairIntake(settings, Leak(1, 32, 8), torch.device("cpu"))
except SettingsError as exc:
    print(exc)
"""


def test_tables_without_memory_for_them_are_a_wrong_setting() -> None:
    """It names the setting, the rule and the value, where torch names an allocator."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120, check=False)
    assert "leakage.sketch_bits: must leave 1 tables of pairs that fit in memory, got 28" in done.stdout, done.stderr
