"""Reads metrics with Prometheus' own parsers: text on stdin, `text` or `openmetrics` as the argument; prints the samples as JSON."""

import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text

families = list({"text": text, "openmetrics": openmetrics}[sys.argv[1]](sys.stdin.read()))
assert all(family.type in ("counter", "histogram") for family in families), families
print(json.dumps([[sample.name, sample.labels, sample.value] for family in families for sample in family.samples]))
