#!/usr/bin/python3
"""schema.py [--unused] SCHEMA DOCUMENT... - holds JSON documents against a schema of oci-specs/schema.

Prints each place where a document breaks the schema; with --unused each property of the schema that a document does not
use. The status is 0 when there is none. Needs python3-jsonschema.
"""
import json
import pathlib
import sys
import warnings

import jsonschema

warnings.simplefilter("ignore", DeprecationWarning)  # newer versions have another resolver, bookworm's has not


class Schema:
    def __init__(self, path):
        self.folder = path.parent
        self.name = path.name
        self.root = json.loads(path.read_text())
        self.resolver = jsonschema.RefResolver(path.as_uri(), self.root)

    def violations(self, document):
        jsonschema.Draft4Validator.check_schema(self.root)
        validator = jsonschema.Draft4Validator(self.root, resolver=self.resolver)
        for error in validator.iter_errors(document):
            yield f"{'.'.join(map(str, error.absolute_path)) or '(the document)'}: {error.message}"

    def unused(self, document):
        return self._unused(self.root, self.name, [document], "")

    def _follow(self, node, file):
        while "$ref" in node:
            name, pointer = node["$ref"].split("#")
            file = name or file
            if not (self.folder / file).exists():  # another platform
                return None, file
            node = json.loads((self.folder / file).read_text())
            for part in pointer.strip("/").split("/"):
                node = node[part]
        return node, file

    def _unused(self, node, file, values, path):
        node, file = self._follow(node, file)
        if node is None:
            return
        for part in node.get("allOf", []) + node.get("anyOf", []) + node.get("oneOf", []):
            yield from self._unused(part, file, values, path)
        objects = [value for value in values if isinstance(value, dict)]
        for name, member in node.get("properties", {}).items():
            used = [value[name] for value in objects if name in value]
            if self._follow(member, file)[0] is None:
                continue
            if used:
                yield from self._unused(member, file, used, f"{path}.{name}")
            else:
                yield f"{path}.{name}".lstrip(".")
        others = list(node.get("patternProperties", {}).values())
        if isinstance(node.get("additionalProperties"), dict):
            others.append(node["additionalProperties"])
        for other in others:
            members = [member for value in objects for member in value.values()]
            yield from self._unused(other, file, members, f"{path}.*")
        if isinstance(node.get("items"), dict):
            elements = [element for value in values if isinstance(value, list) for element in value]
            yield from self._unused(node["items"], file, elements, f"{path}[]")


def main(arguments):
    search = arguments[:1] == ["--unused"]
    path, *documents = map(pathlib.Path, arguments[search:])
    schema = Schema(path.resolve())
    found = False
    for document in documents:
        text = json.loads(document.read_text())
        for line in sorted(set((schema.unused if search else schema.violations)(text))):
            found = True
            print(line)
    return 1 if found else 0


sys.exit(main(sys.argv[1:]))
