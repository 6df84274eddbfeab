"""Index a stream by its packets: which frames there are, and when."""
