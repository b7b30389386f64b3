"""Replays recorded HTTP scenarios in this process, against `ApiServer.handle`, in virtual time."""
