"""Readers of what other tools export: one pure module for each format. A record that cannot be read is named, never lost."""
