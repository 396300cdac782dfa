"""Where in a rule's file something stands: line numbers of keys and texts."""

from __future__ import annotations

import yaml

from logvision.detect.documents import LOADER


class Lines:
    """Line numbers of keys and texts in a YAML document."""

    def __init__(self, text: bytes) -> None:
        self._root = next(iter(yaml.compose_all(text, LOADER)), None)
        self._text = text.decode("utf-8", "replace").splitlines()

    def of(self, *keys: str) -> int:
        node, line = self._root, 1
        for key in keys:
            pairs = node.value if isinstance(node, yaml.MappingNode) else []
            for name, value in pairs:
                if name.value == key:
                    node, line = value, name.start_mark.line + 1
                    break
            else:
                return line
        return line

    def named_in(self, message: str) -> int:
        """The line of the first detection text that a message quotes."""
        nodes = [value for key, value in getattr(self._root, "value", []) if key.value == "detection"]
        while nodes:
            node = nodes.pop(0)
            if isinstance(node, yaml.ScalarNode):
                if len(node.value) > 2 and node.value in message:
                    return int(node.start_mark.line) + 1
            elif isinstance(node, yaml.MappingNode):
                nodes[:0] = [part for pair in node.value for part in pair]
            else:
                nodes[:0] = node.value
        return self.of("detection")

    def holding(self, text: str) -> int:
        for number, line in enumerate(self._text, 1):
            if text in line:
                return number
        return self.of("detection")
