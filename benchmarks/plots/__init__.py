"""The plots of the documents and the points that they are drawn from."""
