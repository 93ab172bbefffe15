"""``python -m twlv_mm``: the installed versions, what is missing for which task, and the command that fixes it."""

import sys

from twlv_mm import __file__ as location
from twlv_mm import __version__
from twlv_mm.diagnosis import examine, missing, table


def main():
    """Print the table; returns 1 if a required component is missing, broken or of a wrong version, else 0."""
    rows = examine()
    faults = missing(rows)
    print(f'twlv_mm {__version__}, {location}\n')
    print(table(rows))
    if faults:
        print(f'\nMissing or wrong: {", ".join(row.component for row in faults)}. The last column says how to fix it.')
    else:
        print('\nEverything required is installed.')
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
