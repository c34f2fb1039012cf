"""The custom resources as frozen pydantic models: what a manifest may say, with every limit and the sentence that explains it."""
