"""Who is calling, and with which account at TeamFlame."""
