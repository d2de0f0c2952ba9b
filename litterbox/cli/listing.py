"""`litterbox list`: which boxes there are. The table is made by hand, because rich costs more than the rest."""

import json
import sys

from litterbox.container import listing

COLUMNS = ("NAME", "STATE", "SESSIONS", "DEFINITION")


def show(*, as_json: bool) -> None:
    """Print every box, as a table or as a JSON array of objects."""
    rows = listing.boxes()
    if as_json:
        print(json.dumps(rows, indent=2))
    elif not rows:
        print("There is no box yet. Make one with: litterbox define NAME", file=sys.stderr)
    else:
        table = [COLUMNS, *((r["name"], r["state"], r["sessions"], r["definition"] or "-") for r in rows)]
        widths = [max(len(str(row[column])) for row in table) for column in range(len(COLUMNS))]
        for row in table:
            print("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
