"""Explaining: the whole story of one resource, put together from the topics and the spool."""
