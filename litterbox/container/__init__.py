"""What Podman does for a box: its image, its container, its settings, and the runtime mounted into it."""
