//! What every stream to a client keeps to, checked event by event.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::json;

#[derive(Default)]
struct Item {
    item: Value,
    /// The text that the open part, summary or arguments have so far.
    text: Option<String>,
    parts: Vec<Value>,
    summaries: usize,
    done: Option<Value>,
}

/// How a stream ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    Completed,
    Incomplete,
    Error,
    /// It is still going on.
    Open,
}

/// The events of a stream.
pub(crate) fn read(stream: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(stream).unwrap();
    let frames = text.split_terminator("\n\n").map(|frame| {
        let (name, data) = frame.split_once('\n').unwrap();
        let event = json(data.strip_prefix("data: ").unwrap().as_bytes());
        assert_eq!(event["type"], name.strip_prefix("event: ").unwrap());
        event
    });
    frames.collect()
}

/// Checks a stream and says how it ended.
pub(crate) fn check(stream: &[u8]) -> End {
    let mut items: BTreeMap<u64, Item> = BTreeMap::new();
    let mut end = End::Open;
    let mut id = Value::Null;
    for (number, event) in read(stream).into_iter().enumerate() {
        assert_eq!(end, End::Open, "something follows the end: {event}");
        assert_eq!(event["sequence_number"], number, "{event}");
        let kind = event["type"].as_str().unwrap();
        match kind {
            "response.created" => {
                assert_eq!(number, 0);
                id = event["response"]["id"].clone();
            }
            _ => assert_ne!(number, 0, "{kind} comes first"),
        }
        if let Some(response) = event.get("response") {
            assert_eq!(response["id"], id);
        }
        match kind {
            "response.created" | "response.in_progress" => {
                assert_eq!(event["response"]["status"], "in_progress");
                assert_eq!(event["response"]["output"], Value::Array(Vec::new()));
            }
            "response.completed" | "response.incomplete" => {
                let status = kind.strip_prefix("response.").unwrap();
                assert_eq!(event["response"]["status"], status);
                let all: Vec<_> = items
                    .values()
                    .map(|item| item.done.clone().expect("an item is not closed"))
                    .collect();
                assert_eq!(event["response"]["output"], Value::Array(all));
                end = if status == "completed" {
                    End::Completed
                } else {
                    End::Incomplete
                };
            }
            "error" => {
                assert!(event["message"].is_string() && event["error"]["message"] == event["message"]);
                end = End::Error;
            }
            _ => on_item(kind, &event, &mut items),
        }
    }
    end
}

fn on_item(kind: &str, event: &Value, items: &mut BTreeMap<u64, Item>) {
    let index = event["output_index"].as_u64().unwrap();
    if kind == "response.output_item.added" {
        assert_eq!(index, items.len() as u64, "places have no gaps");
        let open = |kind: &str| {
            items
                .values()
                .any(|item| item.done.is_none() && item.item["type"] == kind)
        };
        assert!(
            !open("message") && !open("reasoning"),
            "something begins beside {event}"
        );
        let item = Item {
            item: event["item"].clone(),
            ..Item::default()
        };
        assert!(
            items.values().all(|other| other.item["id"] != item.item["id"]),
            "{event}"
        );
        items.insert(index, item);
        return;
    }
    let item = items
        .get_mut(&index)
        .expect("an event of an item that has not begun");
    assert!(
        item.done.is_none(),
        "something follows the end of an item: {event}"
    );
    if kind == "response.output_item.done" {
        assert!(item.text.is_none(), "a part is not closed: {event}");
        let done = &event["item"];
        for name in ["id", "type", "call_id", "name"] {
            assert_eq!(done[name], item.item[name]);
        }
        if done["type"] == "message" {
            assert_eq!(done["content"], Value::Array(item.parts.clone()));
        }
        item.done = Some(done.clone());
        return;
    }
    assert_eq!(event["item_id"], item.item["id"]);
    let text = |name: &str| event[name].as_str().unwrap().to_owned();
    match kind {
        "response.content_part.added" => {
            assert_eq!(event["content_index"], item.parts.len());
            assert!(item.text.replace(String::new()).is_none());
        }
        "response.reasoning_summary_part.added" => {
            assert_eq!(event["summary_index"], item.summaries);
            assert!(item.text.replace(String::new()).is_none());
        }
        "response.output_text.delta" | "response.refusal.delta" | "response.reasoning_summary_text.delta" => {
            item.text.as_mut().unwrap().push_str(&text("delta"));
        }
        "response.function_call_arguments.delta" => {
            item.text.get_or_insert_default().push_str(&text("delta"));
        }
        "response.output_text.done" | "response.reasoning_summary_text.done" => {
            assert_eq!(item.text, Some(text("text")));
        }
        "response.refusal.done" => assert_eq!(item.text, Some(text("refusal"))),
        "response.function_call_arguments.done" => {
            assert_eq!(item.text.take(), Some(text("arguments")));
            assert_eq!(event["name"], item.item["name"]);
        }
        "response.content_part.done" => {
            let said = item.text.take().unwrap();
            assert!(event["part"]["text"] == said || event["part"]["refusal"] == said);
            item.parts.push(event["part"].clone());
        }
        "response.reasoning_summary_part.done" => {
            assert_eq!(event["part"]["text"], item.text.take().unwrap());
            item.summaries += 1;
        }
        other => panic!("an unknown event: {other}"),
    }
}
