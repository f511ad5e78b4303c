"""omc on Ray: actors and the handles that reach them."""
