"""The alerts: what fires, when, where it is sent, and what to read then."""
