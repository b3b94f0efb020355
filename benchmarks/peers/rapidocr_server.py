"""Runs inside RapidOCR's own environment: its reader behind FastAPI, as one would write it in ten lines; arguments: port, engine."""

import sys

import uvicorn
from fastapi import FastAPI, UploadFile
from rapidocr import EngineType, RapidOCR


def main() -> None:
    """Answers POST /ocr from a pool of threads, and GET /readyz."""
    engine = EngineType(sys.argv[2])
    params = {
        "Det.engine_type": engine,
        "Cls.engine_type": engine,
        "Rec.engine_type": engine,
        "Global.log_level": "critical",
    }
    ocr = RapidOCR(params=params)
    app = FastAPI()

    @app.post("/ocr")
    def read(file: UploadFile) -> dict[str, list[str]]:
        return {"lines": list(ocr(file.file.read()).txts or ())}

    @app.get("/readyz")
    def ready() -> dict[str, bool]:
        return {"ready": True}

    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="critical")


main()
