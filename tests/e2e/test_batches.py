"""OpenAI's files and batches by its client for Python, on the gateway that all tests share."""

import json
import os
import time
import uuid

from openai import OpenAI

client = OpenAI(api_key="any", base_url=f"{os.environ['GATEWAY_URL']}/v1", max_retries=0)


def test_a_batch_from_the_upload_to_its_answers():
    lines = [
        {
            "custom_id": f"line-{at}",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {"model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": f"{uuid.uuid4()}"}]},
        }
        for at in range(3)
    ]
    text = "\n".join(json.dumps(line) for line in lines)
    file = client.files.create(file=("in.jsonl", text.encode()), purpose="batch")
    batch = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    for _ in range(300):
        batch = client.batches.retrieve(batch.id)
        if batch.status in ("completed", "failed"):
            break
        time.sleep(0.1)
    assert batch.status == "completed", batch
    assert (batch.request_counts.total, batch.request_counts.completed) == (3, 3)
    answers = [json.loads(line) for line in client.files.content(batch.output_file_id).text.splitlines()]
    assert {answer["custom_id"] for answer in answers} == {"line-0", "line-1", "line-2"}
    assert batch.id in [listed.id for listed in client.batches.list()]
    assert client.files.delete(file.id).deleted
