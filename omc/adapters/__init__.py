"""The only drivers of databases, venues and sources."""
