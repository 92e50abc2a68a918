"""What tests share: how they start, what they plant, and what they look for. Programs are in lab/."""
