"""What trustees keep and do: ceremony or dealer, shares, yes, decryption. Files in, files out.

Begin at `trustee` (what one trustee does), `assemble` and `dealer` (the key). What strangers read and check of their
files is in `voting.ballots`.

May import: voting.ballots.
"""
