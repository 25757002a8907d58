"""MTProto: from bytes to requests and back."""
