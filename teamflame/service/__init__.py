"""The client of the TeamFlame service: one class for each concern."""
