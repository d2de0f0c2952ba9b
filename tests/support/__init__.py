"""What tests share: a virtual display, and a user who types litterbox commands."""
