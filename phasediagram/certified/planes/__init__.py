"""What is proved in whole cells of a plane of parameters, and the diagrams made of them."""
