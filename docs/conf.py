"""How Sphinx builds the documentation's site: `make docs`."""

from pygments.lexers import TextLexer
from sphinx.highlighting import lexers

import fullbake

project = "Fullbake"
author = "The Fullbake authors"
copyright = "The Fullbake authors"  # noqa: A001 (Sphinx's name)
release = fullbake.__version__

extensions = ["myst_nb"]
exclude_patterns = ["__pycache__"]
html_theme = "furo"
html_title = "Fullbake"
# Anchors of headings, to which pages link as on GitHub.
myst_heading_anchors = 4
# A test executes the notebook; the site shows what came out when it was written.
nb_execution_mode = "off"
# Diagrams are text on the site: a renderer would be fetched from elsewhere by everyone who reads a page.
lexers["mermaid"] = TextLexer()
