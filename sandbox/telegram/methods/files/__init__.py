"""The methods that carry files, and what names a file in a request."""
