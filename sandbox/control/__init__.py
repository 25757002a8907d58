"""The sandbox's HTTP side: its control calls, its web page, the Planfix chat API."""
