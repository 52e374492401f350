"""How long data is kept, where it goes then, and how what is kept of one key is deleted."""
