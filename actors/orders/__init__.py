"""Orders on their way: sent by one sender an account, worked at the venue, looked for, and settled."""
