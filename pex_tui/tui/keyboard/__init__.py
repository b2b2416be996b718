"""Keys, the keymap, the command palette, and keys typed ahead."""
