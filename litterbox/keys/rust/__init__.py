"""The key store of the Rust Litterbox, version 2 of keys.ron: reading it, and converting it to ours."""
