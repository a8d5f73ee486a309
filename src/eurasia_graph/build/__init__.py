"""Build a release from the files: load, check, bound, derive, close, compare. `pipeline` reads as the data flow."""
