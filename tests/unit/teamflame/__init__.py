"""The pure pieces of TeamFlame's part."""
