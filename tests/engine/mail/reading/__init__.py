"""Tests of engine.mail.reading, module by module."""
