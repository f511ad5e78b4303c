"""omc under Ray Tune."""
