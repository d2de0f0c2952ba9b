"""The host process of one box: a nursery tree that owns its agent, its doors, its sessions and its end."""
