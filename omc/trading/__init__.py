"""From weights to orders to fills."""
