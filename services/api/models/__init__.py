"""What requests and answers look like: pydantic models, pure."""
