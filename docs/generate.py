"""Writes the pages that are made of the code: `make pages`."""

from __future__ import annotations

from pathlib import Path

from docs.config_reference import reference
from docs.message_list import message_page

PAGES = {"config.md": reference, "messages.md": message_page}
"""By the name of a page, what returns it."""


def main() -> None:
    """Writes them."""
    for name, page in PAGES.items():
        Path(__file__).with_name(name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
