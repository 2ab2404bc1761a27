"""The sections of the report: each is a module and the template of the same name; `page.py` has their order."""
