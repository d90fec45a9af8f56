"""What `podpy system doctor` checks, and the texts that say how to mend."""
