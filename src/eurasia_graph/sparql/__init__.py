"""What is read of the text of a SPARQL query: tokens, shape, refusals and faults."""
