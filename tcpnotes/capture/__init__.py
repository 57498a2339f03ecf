"""Packets from elsewhere: captures explained connection by connection, and scenarios written as captures."""

from tcpnotes.capture.errors import CaptureError
from tcpnotes.capture.explain import Explained, Explainer
from tcpnotes.capture.files import CaptureFile

__all__ = ["CaptureError", "CaptureFile", "Explained", "Explainer"]
