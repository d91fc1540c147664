"""Results in files, as labelled data and as text."""
