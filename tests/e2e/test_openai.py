"""OpenAI's own Python SDK, unmodified, against every provider."""

import json
import os
import uuid

import pytest
from openai import APIError, BadRequestError, NotFoundError, OpenAI
from pydantic import BaseModel

client = OpenAI(base_url=os.environ["GATEWAY_URL"] + "/v1", api_key="a-key")

MODELS = [
    "openai/gpt-6-luna",
    "anthropic/claude-haiku-4-5",
    "workers-ai/@cf/meta/llama-3.3-70b-instruct-fp8-fast",
]

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the current weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def question(text):
    """A question that no cache knows."""
    return f"{text} ({uuid.uuid4()})"


def user(text):
    """The same as a conversation."""
    return [{"role": "user", "content": question(text)}]


@pytest.mark.parametrize("model", MODELS)
class TestEveryProvider:
    def test_answers(self, model):
        answer = client.chat.completions.create(model=model, messages=user("Bears sleep in winter. When do bears sleep?"))
        assert answer.choices[0].message.content
        assert answer.choices[0].finish_reason == "stop"
        assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens

    def test_streams(self, model):
        with client.chat.completions.stream(model=model, messages=user("Bears sleep in winter. When?")) as stream:
            deltas = "".join(event.delta for event in stream if event.type == "content.delta")
            assert stream.get_final_completion().choices[0].message.content == deltas != ""

    def test_calls_a_tool_and_takes_its_result(self, model):
        messages = user("What is the weather in Lisbon?")
        first = client.chat.completions.create(model=model, messages=messages, tools=[WEATHER], tool_choice="required")
        call = first.choices[0].message.tool_calls[0]
        assert call.function.name == "get_weather"
        assert "city" in json.loads(call.function.arguments)
        messages += [first.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "21 degrees"}]
        second = client.chat.completions.create(model=model, messages=messages, tools=[WEATHER])
        assert "21 degrees" in second.choices[0].message.content

    def test_answers_in_a_schema(self, model):
        class City(BaseModel):
            name: str
            population: int

        answer = client.chat.completions.parse(
            model=model, messages=user("Lisbon has 545000 people. Which city?"), response_format=City
        )
        assert isinstance(answer.choices[0].message.parsed, City)

    def test_tells_an_error_by_its_class(self, model):
        with pytest.raises(BadRequestError):
            client.chat.completions.create(model=model, messages=user("[[fault: status=400]]"))


@pytest.mark.parametrize("model", ["openai/text-embedding-3-small", "workers-ai/@cf/baai/bge-small-en-v1.5"])
def test_embeds(model):
    answer = client.embeddings.create(model=model, input=["a cat", "a dog"])
    assert [item.index for item in answer.data] == [0, 1]
    floats = client.embeddings.create(model=model, input="a cat", encoding_format="float")
    assert floats.data[0].embedding == pytest.approx(answer.data[0].embedding, abs=1e-6)


def test_lists_models():
    ids = [model.id for model in client.models.list()]
    assert "smart" in ids and any(model.startswith("workers-ai/@cf/") for model in ids)


def test_names_a_model_that_does_not_exist():
    with pytest.raises(NotFoundError) as caught:
        client.chat.completions.create(model="no-such-model", messages=user("x"))
    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize("model", MODELS)
def test_responses(model):
    text = question("The capital of France is Paris. What is the capital of France?")
    answer = client.responses.create(model=model, input=text)
    assert answer.output_text and answer.status == "completed"
    with client.responses.stream(model=model, input=text) as stream:
        deltas = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        assert stream.get_final_response().output_text == deltas


@pytest.mark.parametrize("model", MODELS)
def test_responses_raise_what_breaks_off(model):
    text = question("Bears sleep in winter, says the book about bears. When do bears sleep? [[fault: cut=6]]")
    with pytest.raises(APIError):
        for event in client.responses.create(model=model, input=text, stream=True):
            assert event.type != "response.completed"
