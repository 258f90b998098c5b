"""Tests of the box: what holds, what shows, and whose doing an ending was."""
