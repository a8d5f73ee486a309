"""The version of the program, which no start has to look up."""

VERSION = "0.1.0"
