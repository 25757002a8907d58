"""The sandbox's HTTP side: its control calls, its web page and the Planfix chat API."""
