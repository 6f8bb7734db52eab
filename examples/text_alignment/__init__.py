"""Does aligning a text model on co-clicks help a ranker? Asked of simulated titles, or of real ones."""
