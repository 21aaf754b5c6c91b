"""Who is on the staff, and what each may do. Begin at `enrolment`.

May import: messages.
"""
