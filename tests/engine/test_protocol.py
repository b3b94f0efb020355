from __future__ import annotations

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.grpc import service_pb2

from shizi.engine import protocol
from shizi.errors import InvalidRequest

MESSAGES = sorted(protocol._FIELDS)


def described(descriptor: object) -> descriptor_pb2.DescriptorProto:
    proto = descriptor_pb2.DescriptorProto()
    descriptor.CopyToProto(proto)  # type: ignore[attr-defined]
    return proto


def published(name: str) -> protocol.Message:
    found = service_pb2
    for part in name.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize("name", MESSAGES)
def test_every_message_is_the_published_one(name: str) -> None:
    theirs = published(name).DESCRIPTOR
    ours = described(protocol.new(name).DESCRIPTOR)
    fields = [(field.name, field.number, field.type, field.label) for field in ours.field]
    assert fields == [(field.name, field.number, field.type, field.label) for field in described(theirs).field]


@pytest.mark.parametrize("method", protocol.METHODS)
def test_every_method_is_a_published_one(method: str) -> None:
    service = service_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"]
    assert protocol.method_path(method) == f"/{service.full_name}/{service.methods_by_name[method].name}"
    assert service.methods_by_name[method].input_type.name == f"{method}Request"
    assert service.methods_by_name[method].output_type.name == f"{method}Response"


def test_bytes_of_another_client_of_the_protocol_are_understood() -> None:
    theirs = service_pb2.ModelInferRequest(model_name="shizi", id="7", raw_input_contents=[b"pixels"])
    theirs.parameters["deadline_ms"].int64_param = 1500
    theirs.inputs.add(name="image", datatype="UINT8", shape=[1, 2, 3]).parameters["a"].bool_param = True
    ours = protocol.parse("ModelInferRequest", theirs.SerializeToString())
    assert (ours.model_name, ours.id, list(ours.raw_input_contents)) == ("shizi", "7", [b"pixels"])
    assert ours.parameters["deadline_ms"].WhichOneof("parameter_choice") == "int64_param"
    assert (ours.inputs[0].name, list(ours.inputs[0].shape)) == ("image", [1, 2, 3])
    assert service_pb2.ModelInferRequest.FromString(ours.SerializeToString()) == theirs


@given(st.binary(max_size=200), st.sampled_from(MESSAGES))
def test_any_bytes_are_a_message_or_an_error(data: bytes, name: str) -> None:
    try:
        message = protocol.parse(name, data)
    except InvalidRequest:
        with pytest.raises(DecodeError):
            published(name).FromString(data)
        return
    assert message.SerializeToString(deterministic=True) == published(name).FromString(data).SerializeToString(
        deterministic=True
    )
