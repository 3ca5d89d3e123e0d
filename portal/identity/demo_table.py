"""Print the address of the portal and the demo people, for who starts it by hand."""

from __future__ import annotations

import sys

from portal.identity import demo


def main(port: str) -> None:
    """One line a person: name, level, what she comes for."""
    write = sys.stdout.write
    write(f"\nDiwan: http://127.0.0.1:{port}/ar/\n")
    write(f"Demo sign-in: http://127.0.0.1:{port}/ar/demo/sign-in\n\n")
    for key, (_ar, name, _nationality, _born, level, _language) in demo.PEOPLE.items():
        write(f"  {name:<32} L{level}  {demo.COMES_FOR[key]['en']}\n")
    write("\nCtrl+C stops.\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
