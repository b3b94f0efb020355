"""From a document to the formats that people and programs use; one module per format, loaded when it is asked for."""

from shizi.export.base import Exporter, Original
from shizi.export.json import to_dict, to_json
from shizi.export.json_reading import from_json
from shizi.export.registry import EXPORTERS, export

__all__ = ["EXPORTERS", "Exporter", "Original", "export", "from_json", "to_dict", "to_json"]
