"""What an attempt wrote: captured, kept under refs, or named."""
