"""Renders a demo's summary as the README's picture.

make demo DURATION=100 SUMMARY=out.json && python docs/render_demo.py out.json > docs/demo.svg
"""

import io
import json
import re
import sys
from pathlib import Path

from rich.console import Console

from lis_online.cli.report import report

WIDTH = 150


def render(summary: Path) -> str:
    """Return the report as SVG with the reader's own fonts: the picture loads nothing."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(report(json.loads(summary.read_text(encoding="utf-8"))))
    return re.sub(r"@font-face\s*\{.*?\}", "", console.export_svg(title="lis-online demo"), flags=re.DOTALL)


if __name__ == "__main__":
    sys.stdout.write(render(Path(sys.argv[1])))
