"""Named configurations: canonical weights, and scales and biases minimised within each."""
