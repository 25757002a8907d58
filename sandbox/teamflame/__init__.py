"""TeamFlame workspaces that behave like the TeamFlame service, as far as it is known."""
