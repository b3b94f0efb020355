"""Clients of a server of shizi: one that blocks, one for asyncio, and the parts that both are made of."""

from shizi.client.feedback import correction_of
from shizi.client.options import ClientOptions
from shizi.release.correction import Correction, KeptCorrection

__all__ = ["ClientOptions", "Correction", "KeptCorrection", "correction_of"]
