"""Every event Vigilo writes or reads, as frozen pydantic models. Imports nothing else of Vigilo."""
