"""TeamFlame's part of the gateway against the sandbox's TeamFlame."""
