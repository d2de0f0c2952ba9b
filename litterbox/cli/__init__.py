"""The command line: one module per command or group of commands; it parses and prints, and decides nothing."""
