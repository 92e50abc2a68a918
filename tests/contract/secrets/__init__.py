"""Where the material comes from, and how it is wrapped."""
