"""Replays of edits, and suggestions, held against builds of the engine."""
