"""The texts: split, number, digest and verify passages, and count which are encoded."""
