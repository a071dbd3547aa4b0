"""Rows that print as Docker's tables, and that other libraries take as columns."""

from __future__ import annotations

from layersim.table.rows import Rows
from layersim.table.tab_writer import aligned
from layersim.table.value import Table

__all__ = ["Rows", "Table", "aligned"]
