"""LTI 1.3 Advantage: what a learning platform told at launches, its roster, and grades pushed back to it."""
