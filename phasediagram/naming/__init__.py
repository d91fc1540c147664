"""What weights alone say: who interferes with whom, in which directions."""
