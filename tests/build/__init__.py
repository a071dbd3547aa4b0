"""Tests of the builds, one file for a part and a subject."""
