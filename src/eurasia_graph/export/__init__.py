"""Write a release into files: every RDF format, RDF 1.2, JSON-LD and CSV."""
