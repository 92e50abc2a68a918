"""Tests of the programs in lab/: that the proof itself can be trusted."""
