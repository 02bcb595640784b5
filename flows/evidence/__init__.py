"""Evidence: what validation said, source by source. One module a source; other distributions bring their own."""
