"""Build a release from the files: load, check, bound, derive, close, compare. `pipeline` shows the data flow."""
