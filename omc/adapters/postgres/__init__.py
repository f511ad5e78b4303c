"""PostgreSQL: the embedded server, its schema, and every durable store."""
