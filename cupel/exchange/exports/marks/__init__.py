"""Writers of marks: spans in text, segments in time and boxes in images, as the tools read them."""
