"""Replays recorded kubectl sessions with the real kubectl, over HTTPS, against a real server."""
