"""Documents, value types and problems of every file that users write."""
