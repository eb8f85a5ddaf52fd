//! The reranker: how well each context answers the query, best first.

use serde::Serialize;
use serde_json::{Map, Value};

use super::error::Error;
use crate::generate::relevance;
use crate::reply::Reply;

#[derive(Debug, Serialize)]
struct Answer {
    response: Vec<Scored>,
}

#[derive(Debug, Serialize)]
struct Scored {
    id: usize,
    score: f32,
}

pub(super) fn answer(inputs: &Map<String, Value>) -> Result<Reply, Error> {
    let query = match inputs.get("query") {
        Some(Value::String(query)) if !query.is_empty() => query,
        None | Some(Value::Null) => {
            return Err(Error::input("required properties at '/' are 'query,contexts'"));
        }
        Some(Value::String(_)) => return Err(Error::input("Length of '/query' must be >= 1")),
        Some(_) => return Err(Error::input("Type mismatch of '/query', expected 'string'")),
    };
    let list = inputs
        .get("contexts")
        .ok_or_else(|| Error::input("required properties at '/' are 'query,contexts'"))?;
    let top_k = match inputs.get("top_k") {
        None | Some(Value::Null) => None,
        Some(value) => match value.as_u64() {
            Some(k) if k >= 1 => Some(k as usize),
            _ => return Err(Error::input("'/top_k' must be >= 1")),
        },
    };
    Ok(ranked(query, &contexts(list)?, top_k))
}

pub(super) fn contexts(list: &Value) -> Result<Vec<String>, Error> {
    let list = list
        .as_array()
        .ok_or_else(|| Error::input("Type mismatch of '/contexts', expected 'array'"))?;
    if list.is_empty() {
        return Err(Error::input("Length of '/contexts' must be >= 1"));
    }
    list.iter()
        .enumerate()
        .map(|(at, context)| {
            let text = context.get("text").and_then(Value::as_str).map(str::to_owned);
            text.ok_or_else(|| Error::input(format!("required properties at '/contexts/{at}' are 'text'")))
        })
        .collect()
}

pub(super) fn ranked(query: &str, contexts: &[String], top_k: Option<usize>) -> Reply {
    let mut response: Vec<Scored> = contexts
        .iter()
        .enumerate()
        .map(|(id, text)| Scored {
            id,
            score: relevance(query, text),
        })
        .collect();
    response.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
    response.truncate(top_k.unwrap_or(usize::MAX));
    Reply::json(&Answer { response })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::reply::Payload;

    #[test]
    fn the_better_context_comes_first() {
        let inputs = json!({ "query": "How long does a refund take?", "top_k": 2, "contexts": [
            { "text": "Parcels leave on Mondays." }, { "text": "A refund takes five days." }, { "text": "We are closed." }] });
        let reply = answer(inputs.as_object().unwrap()).unwrap();
        let Payload::Whole { bytes, .. } = reply.payload else {
            panic!("a stream")
        };
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        let list = value["response"].as_array().unwrap();
        assert_eq!((list.len(), &list[0]["id"]), (2, &json!(1)));
        assert!(list[0]["score"].as_f64() > Some(0.5) && list[1]["score"].as_f64() < Some(0.5));
    }

    #[test]
    fn wrong_inputs_are_refused() {
        for bad in [
            json!({}),
            json!({ "query": "q" }),
            json!({ "query": "q", "contexts": [] }),
            json!({ "query": "q", "contexts": ["x"] }),
        ] {
            assert_eq!(
                answer(bad.as_object().unwrap()).unwrap_err().code(),
                5006,
                "{bad}"
            );
        }
    }
}
