"""One file a concept; each is applied once and never edited after a release."""
