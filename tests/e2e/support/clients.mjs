// The official SDKs, unmodified, by what they have in common: how each writes a request and reads an answer.

import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

const errors = (sdk) => ({
  400: sdk.BadRequestError,
  404: sdk.NotFoundError,
  429: sdk.RateLimitError,
  500: sdk.InternalServerError,
});

const openai = {
  open: (url) => new OpenAI({ baseURL: `${url}/v1`, apiKey: "a-key", maxRetries: 0 }),
  errors: errors(OpenAI),
  aborted: OpenAI.APIUserAbortError,
};

export const chatCompletions = {
  ...openai,
  name: "OpenAI's SDK, chat completions",
  request({ model, prompt, image, tools, schema, thinks }) {
    const content = image
      ? [{ type: "text", text: prompt }, { type: "image_url", image_url: { url: `data:image/png;base64,${image}` } }]
      : prompt;
    return {
      model,
      messages: [{ role: "system", content: "Be brief." }, { role: "user", content }],
      tools: tools?.map(({ name, description, schema }) => ({ type: "function", function: { name, description, parameters: schema } })),
      response_format: schema && { type: "json_schema", json_schema: { name: "answer", schema, strict: true } },
      reasoning_effort: thinks && "high",
    };
  },
  whole: (client, request, options) => client.chat.completions.create(request, options),
  stream: (client, request, options) => client.chat.completions.stream({ ...request, stream_options: { include_usage: true } }, options),
  final: (stream) => stream.finalChatCompletion(),
  text: (answer) => answer.choices[0].message.content,
  thought: (answer) => answer.choices[0].message.reasoning_content,
  end: (answer) => answer.choices[0].finish_reason,
  ends: { stop: "stop", length: "length", calls: "tool_calls" },
  limit: (tokens) => ({ max_completion_tokens: tokens }),
  tokens: ({ usage }) => [usage.prompt_tokens, usage.completion_tokens],
  calls: (answer) =>
    (answer.choices[0].message.tool_calls ?? []).map(({ id, function: { name, arguments: text } }) => ({ id, name, input: JSON.parse(text) })),
  goOn: (request, answer, results) => ({
    ...request,
    messages: [
      ...request.messages,
      answer.choices[0].message,
      ...results.map(({ id, text }) => ({ role: "tool", tool_call_id: id, content: text })),
    ],
  }),
};

export const responses = {
  ...openai,
  name: "OpenAI's SDK, responses",
  request({ model, prompt, image, tools, schema, thinks }) {
    const content = [{ type: "input_text", text: prompt }];
    if (image) content.push({ type: "input_image", image_url: `data:image/png;base64,${image}`, detail: "auto" });
    return {
      model,
      instructions: "Be brief.",
      input: [{ role: "user", content }],
      store: false,
      tools: tools?.map(({ name, description, schema }) => ({ type: "function", name, description, parameters: schema, strict: true })),
      text: schema && { format: { type: "json_schema", name: "answer", schema, strict: true } },
      ...(thinks && { reasoning: { effort: "high", summary: "auto" }, include: ["reasoning.encrypted_content"] }),
    };
  },
  whole: (client, request, options) => client.responses.create(request, options),
  stream: (client, request, options) => client.responses.stream(request, options),
  final: (stream) => stream.finalResponse(),
  text: (answer) => answer.output_text,
  thought: (answer) => answer.output.find(({ type }) => type === "reasoning")?.summary[0]?.text,
  end: (answer) => answer.incomplete_details?.reason ?? answer.status,
  ends: { stop: "completed", length: "max_output_tokens", calls: "completed" },
  limit: (tokens) => ({ max_output_tokens: tokens }),
  tokens: ({ usage }) => [usage.input_tokens, usage.output_tokens],
  calls: (answer) =>
    answer.output
      .filter(({ type }) => type === "function_call")
      .map(({ call_id, name, arguments: text }) => ({ id: call_id, name, input: JSON.parse(text) })),
  goOn: (request, answer, results) => ({
    ...request,
    input: [...request.input, ...answer.output, ...results.map(({ id, text }) => ({ type: "function_call_output", call_id: id, output: text }))],
  }),
};

export const messages = {
  name: "Anthropic's SDK",
  open: (url) => new Anthropic({ baseURL: url, apiKey: "a-key", maxRetries: 0 }),
  errors: errors(Anthropic),
  aborted: Anthropic.APIUserAbortError,
  request({ model, prompt, image, tools, schema, thinks }) {
    const content = [{ type: "text", text: prompt }];
    if (image) content.push({ type: "image", source: { type: "base64", media_type: "image/png", data: image } });
    return {
      model,
      max_tokens: 4000,
      system: "Be brief.",
      messages: [{ role: "user", content }],
      tools: tools?.map(({ name, description, schema }) => ({ name, description, input_schema: schema })),
      output_config: schema && { format: { type: "json_schema", schema } },
      thinking: thinks && { type: "enabled", budget_tokens: 2000 },
    };
  },
  whole: (client, request, options) => client.messages.create(request, options),
  stream: (client, request, options) => client.messages.stream(request, options),
  final: (stream) => stream.finalMessage(),
  text: (answer) => answer.content.filter(({ type }) => type === "text").map(({ text }) => text).join(""),
  thought: (answer) => answer.content.find(({ type }) => type === "thinking")?.thinking,
  end: (answer) => answer.stop_reason,
  ends: { stop: "end_turn", length: "max_tokens", calls: "tool_use" },
  limit: (tokens) => ({ max_tokens: tokens }),
  tokens: ({ usage }) => [usage.input_tokens, usage.output_tokens],
  calls: (answer) => answer.content.filter(({ type }) => type === "tool_use").map(({ id, name, input }) => ({ id, name, input })),
  goOn: (request, answer, results) => ({
    ...request,
    messages: [
      ...request.messages,
      { role: "assistant", content: answer.content },
      { role: "user", content: results.map(({ id, text }) => ({ type: "tool_result", tool_use_id: id, content: text })) },
    ],
  }),
};
