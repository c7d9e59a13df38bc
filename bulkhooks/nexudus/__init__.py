"""All that knows the Nexudus API: one method, one request; nothing here waits, repeats or decides."""
