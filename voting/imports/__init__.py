"""Files that people hand in: how their bytes are read, what their words mean, what is reported and what is asked.

Begin at `csv_file` (reading) and `taking` (the one way of taking a file in).

May import: voting.audit.
"""
