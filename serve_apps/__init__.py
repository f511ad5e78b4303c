"""omc over HTTP."""
