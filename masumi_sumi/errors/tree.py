"""The root."""

from __future__ import annotations


class SumiError(Exception):
    """Root of all errors of masumi_sumi."""
