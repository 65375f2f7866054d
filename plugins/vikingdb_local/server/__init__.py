"""Server: the engine behind HTTP, for whoever is not in this process. Needs the extra ``server``."""
