"""Anthropic's own Python SDK, unmodified, against every provider."""

import os
import uuid

import pytest
from anthropic import Anthropic, BadRequestError, NotFoundError

client = Anthropic(base_url=os.environ["GATEWAY_URL"], api_key="a-key")

MODELS = [
    "anthropic/claude-haiku-4-5",
    "openai/gpt-4o-mini",
    "workers-ai/@cf/meta/llama-3.3-70b-instruct-fp8-fast",
]

WEATHER = {
    "name": "get_weather",
    "description": "Get the current weather in a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def user(text):
    """A question that no cache knows."""
    return [{"role": "user", "content": f"{text} ({uuid.uuid4()})"}]


@pytest.mark.parametrize("model", MODELS)
class TestEveryProvider:
    def test_answers(self, model):
        message = client.messages.create(model=model, max_tokens=200, messages=user("Bears sleep in winter. When?"))
        assert message.content[0].text
        assert message.stop_reason == "end_turn"
        assert message.usage.input_tokens > 0

    def test_streams(self, model):
        with client.messages.stream(model=model, max_tokens=200, messages=user("Bears sleep in winter. When?")) as stream:
            deltas = "".join(stream.text_stream)
            assert stream.get_final_message().content[0].text == deltas != ""

    def test_calls_a_tool_and_takes_its_result(self, model):
        messages = user("What is the weather in Lisbon?")
        ask = {"model": model, "max_tokens": 200, "tools": [WEATHER]}
        first = client.messages.create(**ask, messages=messages, tool_choice={"type": "any"})
        call = next(block for block in first.content if block.type == "tool_use")
        assert "city" in call.input
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "21 degrees"}
        messages += [{"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
        second = client.messages.create(**ask, messages=messages)
        assert "21 degrees" in second.content[0].text

    def test_tells_an_error_by_its_class(self, model):
        with pytest.raises(BadRequestError):
            client.messages.create(model=model, max_tokens=9, messages=user("[[fault: status=400]]"))


def test_names_a_model_that_does_not_exist():
    with pytest.raises(NotFoundError):
        client.messages.create(model="no-such-model", max_tokens=9, messages=user("x"))
