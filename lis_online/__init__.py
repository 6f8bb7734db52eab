"""Online Leakage Impact Score: what a multimodal LLM representation can bring to a ranker."""

__version__ = "0.1.0"
