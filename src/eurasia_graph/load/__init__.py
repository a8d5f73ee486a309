"""Read RDF files from outside, safely, and count what the engine cannot keep of them."""
