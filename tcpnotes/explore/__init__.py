"""Every interleaving of a small model, with the engine itself: searched, judged, and told as a story."""

from tcpnotes.explore.model import Model, ModelError, load_model, model_names
from tcpnotes.explore.properties import PROPERTIES, Property, prop
from tcpnotes.explore.search import Found, Search
from tcpnotes.explore.story import scenario_of, scenario_text, tell

__all__ = [
    "PROPERTIES", "Found", "Model", "ModelError", "Property", "Search", "load_model", "model_names", "prop",
    "scenario_of", "scenario_text", "tell",
]  # fmt: skip
