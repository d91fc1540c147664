"""Each type of result as labelled arrays, and back."""
