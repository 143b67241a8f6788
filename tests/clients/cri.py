#!/usr/bin/python3
"""cri.py - calls one method of the Kubernetes container runtime interface (CRI), JSON in, JSON out.

    cri.py SOCKET DEFINITION Service/Method [JSON]

DEFINITION is a file that cri.py fills from the containerd binary on the PATH if it is not there yet: programs made
from a protobuf definition carry it, compressed, so client and server cannot disagree. A failed call prints the
server's words on stderr and exits with 1.

Needs python3-grpcio and python3-protobuf, no generated code.
"""
import json
import os
import shutil
import sys
import zlib

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

PACKAGE = "runtime.v1"
GZIP = b"\x1f\x8b\x08\x00\x00"


def find_definition(program):
    """The CRI's FileDescriptorProto out of a program that was built with it."""
    with open(program, "rb") as file:
        data = file.read()
    at = data.find(GZIP)
    while at >= 0:
        try:
            found = descriptor_pb2.FileDescriptorProto.FromString(zlib.decompressobj(31).decompress(data[at : at + (1 << 18)]))
            if found.package == PACKAGE:
                del found.dependency[:]  # only annotations for the Go generator
                return found
        except Exception:  # anything that looks like a gzip header but is none
            pass
        at = data.find(GZIP, at + 1)
    sys.exit(f"cri.py: no {PACKAGE} definition in {program}")


def load_definition(path):
    if not os.path.exists(path):
        found = find_definition(shutil.which("containerd"))
        with open(path + ".new", "wb") as file:
            file.write(found.SerializeToString())
        os.rename(path + ".new", path)
    with open(path, "rb") as file:
        return descriptor_pb2.FileDescriptorProto.FromString(file.read())


def message_class(pool, name):
    descriptor = pool.FindMessageTypeByName(name.lstrip("."))
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


def main(socket, definition_path, method, text="{}"):
    definition = load_definition(definition_path)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(definition)
    service, name = method.split("/")
    row = next(m for s in definition.service if s.name == service for m in s.method if m.name == name)
    request = json_format.ParseDict(json.loads(text), message_class(pool, row.input_type)())
    answer = message_class(pool, row.output_type)
    with grpc.insecure_channel("unix://" + socket) as channel:
        call = channel.unary_unary(
            f"/{PACKAGE}.{service}/{name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=answer.FromString,
        )
        try:
            response = call(request, timeout=60)
        except grpc.RpcError as error:
            sys.exit(f"{error.code().name}: {error.details()}")
    print(json_format.MessageToJson(response, preserving_proto_field_name=True, including_default_value_fields=False, indent=None))


main(*sys.argv[1:])
