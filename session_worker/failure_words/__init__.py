"""Why a message did not reach the contact, in the languages the gateway speaks."""
