"""packetdrill scripts: read, run against the engine, and told as a story when they fail."""

from tcpnotes.packetdrill.parser import parse_script, read_script
from tcpnotes.packetdrill.script import Script, ScriptError

__all__ = ["Script", "ScriptError", "parse_script", "read_script"]
