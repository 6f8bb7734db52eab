"""How much of the maths do the tests hold? What `make study-mutation` left in docs/mutation.json."""

from __future__ import annotations

import json
from pathlib import Path

from studies.section import Section, table


def section(runs: Path, figures: Path) -> Section | None:
    """Return the mutation score by module, None before that study has been run."""
    path = figures.parent / "mutation.json"
    if not path.exists():
        return None
    found = json.loads(path.read_text())
    rows = [
        [
            f"`{module.replace('.', '/')}.py`",
            counts["mutants"],
            counts["killed"],
            f"{counts['killed'] / counts['mutants']:.0%}",
        ]
        for module, counts in sorted(found["by_module"].items())
    ]
    text = (
        f"A seeded sample of {found['mutants']} one-place changes of the modules that hold the maths (a comparison, an "
        "operator, a constant, a slice, a dropped statement). Each runs its module's tests; a change that no test "
        f"notices has survived. {found['killed']} were caught ({found['score']:.1%}). The survivors are explained one "
        "by one in [studies/mutation_survivors.md](../studies/mutation_survivors.md).\n\n"
        + table(["module", "mutants", "caught", "share"], rows)
    )
    return Section("Would a test notice?", text, {"mutation_score": found["score"]})
