"""The traffic between the journal and the workers."""
