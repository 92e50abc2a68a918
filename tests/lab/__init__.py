"""Tests of the programs in lab/: they show that the proof itself can be trusted."""
