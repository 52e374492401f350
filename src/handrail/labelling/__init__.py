"""From a question to labels: ask people, measure how far they agree, settle what is disputed, join."""
