"""Reads file formats that hold other files, within limits and without unpacking programs."""
