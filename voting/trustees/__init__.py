"""The election key and its trustees: ceremony or dealer, shares, yes, decryption, combination. Files in, files out.

Begin at `trustee` (what one trustee does), `assemble` and `dealer` (the key), `combination` (the result).

May import: voting.ballots.
"""
