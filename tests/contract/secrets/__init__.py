"""Where the material comes from: every form of secret, plain or wrapped."""
