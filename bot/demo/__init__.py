"""`ballotline demo`: a whole ballot on this machine, with no accounts, as a story that checks itself."""
