"""Formats of files that hold files, read within bounds and without unpacking programs."""
