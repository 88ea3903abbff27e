"""Times sklearn_seqae beside what people use today; `make bench` runs it."""
