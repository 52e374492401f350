"""The process: what each stage needs, and the evidence that is there."""
