"""The bank's word beside ours: files in, matches out, nothing guessed."""
