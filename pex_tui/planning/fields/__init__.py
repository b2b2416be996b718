"""Documents, value types and problems of all files that users write."""
