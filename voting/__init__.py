"""What is true: codes, packs, locks, the box, the chain and the count. Needs no bot."""
