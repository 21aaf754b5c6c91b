"""Who is on the staff and what each may do; begin at `enrolment`.

May import: bot's root, messages, voting.
"""
