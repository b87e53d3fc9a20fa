"""Which of two versions of a clip do people prefer? A local page, a CSV of their choices, a score with its interval."""
