"""Recordings played again, motion on other pictures, pictures side by side, and the demo."""
