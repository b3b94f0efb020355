"""The messages of the Open Inference Protocol v2 (KServe, Triton) over gRPC, with Triton's system shared memory extension.

Names and numbers are those published with the protocol. The messages are made from the tables below when they are first needed,
in a pool of their own: generated code would clash with that of any other client of the protocol in the same process.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from shizi.errors import InvalidRequest

PACKAGE: Final = "inference"
SERVICE: Final = "inference.GRPCInferenceService"
METHODS: Final = (
    "ServerLive",
    "ServerReady",
    "ModelReady",
    "ServerMetadata",
    "ModelMetadata",
    "ModelInfer",
    "SystemSharedMemoryStatus",
    "SystemSharedMemoryRegister",
    "SystemSharedMemoryUnregister",
)

Message = Any  # the fields of messages that are made at run time are known to the tables alone

_SCALARS: Final = {
    "double": 1,
    "float": 2,
    "int64": 3,
    "uint64": 4,
    "int32": 5,
    "bool": 8,
    "string": 9,
    "bytes": 12,
    "uint32": 13,
}
_MESSAGE: Final = 11
_OPTIONAL, _REPEATED = 1, 3

# (name, number, type); a type is a scalar or a message, of which "*" says that there are several and "map" that they have names
Field = tuple[str, int, str]

_NAMED: Final[tuple[Field, ...]] = (("name", 1, "string"), ("version", 2, "string"))
_TENSOR: Final[tuple[Field, ...]] = (
    ("name", 1, "string"),
    ("datatype", 2, "string"),
    ("shape", 3, "*int64"),
    ("parameters", 4, "map InferParameter"),
    ("contents", 5, "InferTensorContents"),
)
_REGION: Final[tuple[Field, ...]] = (
    ("name", 1, "string"),
    ("key", 2, "string"),
    ("offset", 3, "uint64"),
    ("byte_size", 4, "uint64"),
)
_FIELDS: Final[dict[str, tuple[Field, ...]]] = {
    "InferParameter": (
        ("bool_param", 1, "bool"),
        ("int64_param", 2, "int64"),
        ("string_param", 3, "string"),
        ("double_param", 4, "double"),
        ("uint64_param", 5, "uint64"),
    ),
    "InferTensorContents": (
        ("bool_contents", 1, "*bool"),
        ("int_contents", 2, "*int32"),
        ("int64_contents", 3, "*int64"),
        ("uint_contents", 4, "*uint32"),
        ("uint64_contents", 5, "*uint64"),
        ("fp32_contents", 6, "*float"),
        ("fp64_contents", 7, "*double"),
        ("bytes_contents", 8, "*bytes"),
    ),
    "ServerLiveRequest": (),
    "ServerLiveResponse": (("live", 1, "bool"),),
    "ServerReadyRequest": (),
    "ServerReadyResponse": (("ready", 1, "bool"),),
    "ModelReadyRequest": _NAMED,
    "ModelReadyResponse": (("ready", 1, "bool"),),
    "ServerMetadataRequest": (),
    "ServerMetadataResponse": (*_NAMED, ("extensions", 3, "*string")),
    "ModelMetadataRequest": _NAMED,
    "ModelMetadataResponse": (
        ("name", 1, "string"),
        ("versions", 2, "*string"),
        ("platform", 3, "string"),
        ("inputs", 4, "*ModelMetadataResponse.TensorMetadata"),
        ("outputs", 5, "*ModelMetadataResponse.TensorMetadata"),
    ),
    "ModelMetadataResponse.TensorMetadata": _TENSOR[:3],
    "ModelInferRequest": (
        ("model_name", 1, "string"),
        ("model_version", 2, "string"),
        ("id", 3, "string"),
        ("parameters", 4, "map InferParameter"),
        ("inputs", 5, "*ModelInferRequest.InferInputTensor"),
        ("outputs", 6, "*ModelInferRequest.InferRequestedOutputTensor"),
        ("raw_input_contents", 7, "*bytes"),
    ),
    "ModelInferRequest.InferInputTensor": _TENSOR,
    "ModelInferRequest.InferRequestedOutputTensor": (("name", 1, "string"), ("parameters", 2, "map InferParameter")),
    "ModelInferResponse": (
        ("model_name", 1, "string"),
        ("model_version", 2, "string"),
        ("id", 3, "string"),
        ("parameters", 4, "map InferParameter"),
        ("outputs", 5, "*ModelInferResponse.InferOutputTensor"),
        ("raw_output_contents", 6, "*bytes"),
    ),
    "ModelInferResponse.InferOutputTensor": _TENSOR,
    "SystemSharedMemoryStatusRequest": (("name", 1, "string"),),
    "SystemSharedMemoryStatusResponse": (("regions", 1, "map SystemSharedMemoryStatusResponse.RegionStatus"),),
    "SystemSharedMemoryStatusResponse.RegionStatus": _REGION,
    "SystemSharedMemoryRegisterRequest": _REGION,
    "SystemSharedMemoryRegisterResponse": (),
    "SystemSharedMemoryUnregisterRequest": (("name", 1, "string"),),
    "SystemSharedMemoryUnregisterResponse": (),
}
_CHOICES: Final = {"InferParameter": "parameter_choice"}  # messages all of whose fields are one choice


def new(name: str) -> Message:
    """An empty message of the protocol, such as "ModelInferRequest"."""
    return _classes()[name]()


def parse(name: str, data: bytes) -> Message:
    """The message that these bytes are.

    Raises:
        InvalidRequest: they are none.
    """
    message = new(name)
    try:
        message.ParseFromString(data)
    except DecodeError:
        raise InvalidRequest(f"the bytes are no {name} of the Open Inference Protocol v2") from None
    return message


def method_path(method: str) -> str:
    """The path by which gRPC calls a method."""
    return f"/{SERVICE}/{method}"


@cache
def _classes() -> dict[str, type[Message]]:
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_file())
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name in _FIELDS}


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="shizi/open_inference.proto", package=PACKAGE, syntax="proto3")
    made: dict[str, descriptor_pb2.DescriptorProto] = {}
    for name, fields in _FIELDS.items():
        outer, _, inner = name.rpartition(".")
        made[name] = made[outer].nested_type.add(name=inner) if outer else file.message_type.add(name=inner)
        _add_fields(made[name], name, fields)
    return file


def _add_fields(message: descriptor_pb2.DescriptorProto, path: str, fields: Sequence[Field]) -> None:
    if path in _CHOICES:
        message.oneof_decl.add(name=_CHOICES[path])
    for name, number, kind in fields:
        if kind.startswith("map "):
            entry = f"{name.capitalize()}Entry"
            pair = message.nested_type.add(name=entry)
            pair.options.map_entry = True
            _add_fields(pair, f"{path}.{entry}", (("key", 1, "string"), ("value", 2, kind.removeprefix("map "))))
            kind = f"*{path}.{entry}"
        field = message.field.add(name=name, number=number, label=_REPEATED if kind.startswith("*") else _OPTIONAL)
        kind = kind.removeprefix("*")
        field.type = _SCALARS.get(kind, _MESSAGE)  # type: ignore[assignment]
        if kind not in _SCALARS:
            field.type_name = f".{PACKAGE}.{kind}"
        if path in _CHOICES:
            field.oneof_index = 0
