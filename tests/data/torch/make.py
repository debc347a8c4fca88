"""Writes what PyTorch 2.15 answers to the formulas of tests/torch: `python make.py [THEME ..]`, in this folder."""

import sys
from importlib import import_module
from pathlib import Path

THEMES = ["words", "activations", "norms", "losses", "spatial", "attention", "networks"]

for name in sys.argv[1:] or THEMES:
    getattr(import_module(name), name).write(Path(__file__).parent)
