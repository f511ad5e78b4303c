"""Our books of an account beside what its venue shows of it. Pure."""
