"""Images made from Dockerfiles: the language, what is sent to a builder, and what the builders do with both."""
