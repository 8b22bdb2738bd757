"""Channels for notices: e-mail and webhooks."""
