"""What TeamFlame's part stores, in the gateway's database."""
