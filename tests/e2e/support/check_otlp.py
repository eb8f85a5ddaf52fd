"""Reads OTLP requests in JSON with OpenTelemetry's own types, and fails where they do not fit: `[{"path": …, "body": …}, …]` on stdin."""

import json
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

KINDS = {"/v1/traces": ExportTraceServiceRequest, "/v1/metrics": ExportMetricsServiceRequest}

requests = json.load(sys.stdin)
spans = points = 0
for request in requests:
    message = json_format.ParseDict(request["body"], KINDS[request["path"]]())
    if request["path"] == "/v1/traces":
        for resource in message.resource_spans:
            assert any(attribute.key == "service.name" for attribute in resource.resource.attributes)
            for span in resource.scope_spans[0].spans:
                assert span.start_time_unix_nano <= span.end_time_unix_nano and span.name
                spans += 1
    else:
        for metric in message.resource_metrics[0].scope_metrics[0].metrics:
            for point in metric.histogram.data_points:
                assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
                assert sum(point.bucket_counts) == point.count == 1
                assert list(point.explicit_bounds) == sorted(point.explicit_bounds)
                points += 1
print(json.dumps({"spans": spans, "points": points}))
