use edge_ai_core::Extra;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{ANNOTATIONS, Citation};
use crate::anthropic::MESSAGES;
use crate::bedrock::CONVERSE;
use crate::gemini::GENERATE;
use crate::openai::CHAT;
use crate::openai::responses::RESPONSES;

/// A page, by the names that Anthropic and OpenAI have for what is known of it. Anthropic's search results of the client's own have a `source`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Page {
    #[serde(alias = "source")]
    url: Option<String>,
    title: Option<String>,
    cited_text: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Annotation {
    url_citation: Page,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ConverseCitation {
    title: Option<String>,
    source_content: Vec<Words>,
    location: Location,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Location {
    web: Web,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Web {
    #[serde(alias = "uri")]
    url: Option<String>,
    title: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Words {
    text: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Grounding {
    grounding_chunks: Vec<Location>,
}

pub(super) fn citations(extra: &Extra) -> Vec<Citation> {
    let pages = of::<Vec<Page>>(extra, &MESSAGES, "citations")
        .or_else(|| of(extra, &RESPONSES, ANNOTATIONS))
        .or_else(|| {
            let annotations: Vec<Annotation> = of(extra, &CHAT, ANNOTATIONS)?;
            Some(
                annotations
                    .into_iter()
                    .map(|annotation| annotation.url_citation)
                    .collect(),
            )
        })
        .or_else(|| {
            of::<Vec<ConverseCitation>>(extra, &CONVERSE, "citations")
                .map(|cited| cited.into_iter().map(Page::from).collect())
        })
        .or_else(|| {
            let grounding: Grounding = of(extra, &GENERATE, "groundingMetadata")?;
            Some(
                grounding
                    .grounding_chunks
                    .into_iter()
                    .map(|chunk| chunk.web.into())
                    .collect(),
            )
        });
    pages
        .unwrap_or_default()
        .into_iter()
        .filter_map(Page::cited)
        .collect()
}

fn of<T: DeserializeOwned>(extra: &Extra, dialect: &edge_ai_core::Dialect, name: &str) -> Option<T> {
    extra.get(dialect, name)?.to().ok()
}

impl Page {
    fn cited(self) -> Option<Citation> {
        Some(Citation {
            url: self.url.filter(|url| !url.is_empty())?,
            title: self.title.unwrap_or_default(),
            quote: self.cited_text.unwrap_or_default(),
        })
    }
}

impl From<Web> for Page {
    fn from(Web { url, title }: Web) -> Self {
        Self {
            url,
            title,
            cited_text: None,
        }
    }
}

impl From<ConverseCitation> for Page {
    fn from(cited: ConverseCitation) -> Self {
        let words = cited.source_content.into_iter().filter_map(|words| words.text);
        Self {
            title: cited.title.or(cited.location.web.title),
            cited_text: Some(words.collect()),
            url: cited.location.web.url,
        }
    }
}
