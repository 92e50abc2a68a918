"""The checks of material."""
