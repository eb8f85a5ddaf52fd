//! Where an answer's words come from, between the dialects.
//!
//! Every vendor's own citations stay what they are, as unknown fields of the text they belong to (in streams of an empty one that follows it); a client of
//! another dialect gets those of them that have an address, in its own words. Places in a document that the client itself sent are left out:
//! dialects count them differently.

mod place;
mod read;

use std::borrow::Cow;

use edge_ai_core::{ContentPart, Extra, RawJson, Result};
use serde::Deserialize;

use crate::anthropic::MESSAGES;
use crate::openai::CHAT;
use crate::wire::{ObjectWriter, write_object};

pub(crate) use place::Places;

/// A page that words of an answer come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Citation {
    url: String,
    title: String,
    /// What the page says.
    quote: String,
}

/// The pages that an extra cites, in whichever dialect.
pub(crate) fn citations(extra: &Extra) -> Vec<Citation> {
    read::citations(extra)
}

/// The name of chat completions' and responses' field.
pub(crate) const ANNOTATIONS: &str = "annotations";

/// As Anthropic's `citations`. A page of another vendor's search has no `encrypted_index`, by which it is [known](is_foreign).
pub(crate) fn as_messages(extra: &Extra) -> Vec<RawJson> {
    if let Some(own) = extra.get(&MESSAGES, "citations") {
        return own.to().unwrap_or_default();
    }
    each(extra, |object, cited| {
        object.field("type", "web_search_result_location");
        object.field("url", &cited.url);
        object.field("title", &cited.title);
        object.field("cited_text", &cited.quote);
        object.field("encrypted_index", "");
        Ok(())
    })
}

/// As the `annotations` of a chat completion, of the text from `start` to `end` in characters.
fn as_chat(extra: &Extra, (start, end): (usize, usize)) -> Vec<RawJson> {
    each(extra, |object, cited| {
        object.field("type", "url_citation");
        object.object("url_citation", |place| {
            write_place(place, cited, start, end);
            Ok(())
        })
    })
}

/// As the `annotations` of a response's text of so many characters.
pub(crate) fn as_responses(extra: &Extra, characters: usize) -> Vec<RawJson> {
    each(extra, |object, cited| {
        object.field("type", "url_citation");
        write_place(object, cited, 0, characters);
        Ok(())
    })
}

fn write_place(object: &mut ObjectWriter<'_>, cited: &Citation, start: usize, end: usize) {
    object.field("url", &cited.url);
    object.field("title", &cited.title);
    object.field("start_index", start);
    object.field("end_index", end);
}

/// An object for each page that an extra cites.
fn each(extra: &Extra, write: impl Fn(&mut ObjectWriter<'_>, &Citation) -> Result<()>) -> Vec<RawJson> {
    let object = |cited: &Citation| {
        let object = write_object(|object| write(object, cited)).ok()?;
        RawJson::parse(&String::from_utf8(object).ok()?).ok()
    };
    citations(extra).iter().filter_map(object).collect()
}

/// Whether Anthropic would refuse it: it has citations that another vendor's answer gave.
pub(crate) fn is_foreign(part: &ContentPart) -> bool {
    #[derive(Deserialize)]
    struct Location {
        encrypted_index: Option<String>,
    }
    let ContentPart::Text(part) = part else {
        return false;
    };
    let cited = part.extra.get(&MESSAGES, "citations");
    let cited: Vec<Location> = cited.and_then(|list| list.to().ok()).unwrap_or_default();
    cited
        .iter()
        .any(|cited| cited.encrypted_index.as_deref() == Some(""))
}

/// The citations of a part that is nothing else.
pub(crate) fn alone(part: &ContentPart) -> Option<&Extra> {
    match part {
        ContentPart::Text(part) if part.text.is_empty() && !citations(&part.extra).is_empty() => {
            Some(&part.extra)
        }
        ContentPart::Other(extra) if extra.get(&CHAT, ANNOTATIONS).is_some() => Some(extra),
        _ => None,
    }
}

/// The parts of an answer, with citations that came after a text in it.
pub(crate) fn settled(content: &[ContentPart]) -> Cow<'_, [ContentPart]> {
    if !content.iter().any(|part| alone(part).is_some()) {
        return Cow::Borrowed(content);
    }
    let mut settled: Vec<ContentPart> = Vec::with_capacity(content.len());
    for part in content {
        let text = settled.iter_mut().rev().find_map(|part| match part {
            ContentPart::Text(part) => Some(part),
            _ => None,
        });
        match (alone(part), text) {
            (Some(extra), Some(text)) => text.extra.extend(extra.clone()),
            _ => settled.push(part.clone()),
        }
    }
    Cow::Owned(settled)
}
