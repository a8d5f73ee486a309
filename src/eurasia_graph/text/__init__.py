"""The texts: split, number, digest and verify passages, and tell which are encoded."""
