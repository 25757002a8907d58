"""The service over HTTP, for the Mini App and for bots of other messengers, and the Mini App itself."""
