"""What a run needs before it starts: text, history and plan files in, a plan out."""
