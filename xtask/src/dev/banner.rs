//! What is printed once an example serves: its address, and commands to copy.

// Served by the stand-in for OpenAI; an example routes it like any other model.
const MODEL: &str = "openai/gpt-4o-mini";

pub(super) fn text(example: &str, url: &str, local: &str) -> String {
    format!(
        r#"
{example} is ready: {url}
  on workerd; behind each binding and vendor that no variable sets is the stand-in at {local}

  curl {url}/v1/chat/completions -H 'content-type: application/json' \
    -d '{{"model":"{MODEL}","messages":[{{"role":"user","content":"Hello"}}]}}'

  from openai import OpenAI
  client = OpenAI(base_url="{url}/v1", api_key="local")
  print(client.chat.completions.create(model="{MODEL}", messages=[{{"role": "user", "content": "Hello"}}]).choices[0].message.content)

Ctrl-C stops it. Log lines of the Worker follow.
"#
    )
}
