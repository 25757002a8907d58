"""Tests of what judges the benchmarks."""
