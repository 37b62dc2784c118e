"""Workspaces own everything but people: members, roles, invitations, where alerts go, and who may see what."""
