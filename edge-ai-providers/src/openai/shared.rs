//! What chat completions and responses call by the same name, and who the end user is in any dialect.

use edge_ai_core::{ChatInput, Dialect, Extra, RawJson};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::CHAT;
use super::responses::RESPONSES;
use crate::anthropic::MESSAGES;

/// Fields of a request that mean the same in both of OpenAI's APIs, and the end user.
const FIELDS: [&str; 8] = [
    "metadata",
    "moderation",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "store",
    "user",
];

/// The fields that a request for `to` takes over from what the client said in another dialect.
pub(super) fn fields(input: &ChatInput, to: &Dialect) -> Vec<(&'static str, RawJson)> {
    let other = if *to == CHAT { RESPONSES } else { CHAT };
    let said = |extra: &Extra, name: &str| extra.get(to, name).is_some();
    let names = FIELDS.into_iter().filter(|name| !said(&input.extra, name));
    names
        .filter_map(|name| {
            let value = match name {
                "user" => end_user(&input.extra),
                name => input.extra.get(&other, name).cloned(),
            };
            Some((name, value?))
        })
        .collect()
}

/// Who the end user is, by the client's own name for them.
pub(crate) fn end_user(extra: &Extra) -> Option<RawJson> {
    #[derive(Deserialize)]
    struct Metadata<'a> {
        #[serde(borrow)]
        user_id: Option<&'a RawValue>,
    }
    let user = extra.get(&CHAT, "user").or_else(|| extra.get(&RESPONSES, "user"));
    user.cloned().or_else(|| {
        let metadata: Metadata<'_> = serde_json::from_str(extra.get(&MESSAGES, "metadata")?.get()).ok()?;
        RawJson::parse(metadata.user_id?.get())
            .ok()
            .filter(|user| user.get() != "null")
    })
}
