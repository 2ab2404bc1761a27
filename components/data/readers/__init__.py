"""Readers of data files: the bytes of a file to records, one module a format; `components.data.formats` lists them."""
