//! Documents that Workers AI turns into Markdown, through the runtime's own module for it.

use edge_ai_core::{ErrorKind, Result};
use edge_ai_rag::{AiMarkdownParser, Document, DocumentId, MediaType, ParsedDocument, Parser};
use edge_ai_testkit::{Case, Check, Stop, Subject};
use edge_ai_worker::{AiBinding, EnvExt};
use worker::Env;

use crate::suite::Suite;

pub(super) fn add<'a>(suite: &mut Suite<'a>, env: &'a Env) {
    let cases = || {
        vec![
            Case::new("a_page_becomes_markdown", |subject: Ai| {
                Box::pin(a_page_becomes_markdown(subject.0))
            }),
            Case::new("what_is_not_converted_says_why", |subject: Ai| {
                Box::pin(what_is_not_converted_says_why(subject.0))
            }),
            Case::new("the_formats_are_told", |subject: Ai| {
                Box::pin(the_formats_are_told(subject.0))
            }),
        ]
    };
    suite.add("parser/ai_markdown", cases(), move || {
        Ok(Ai(env.required_ai("AI")?))
    });
}

struct Ai(AiBinding);

impl Subject for Ai {
    fn enter(&mut self, _case: &'static str) {}
}

async fn parse(ai: AiBinding, media_type: MediaType, body: &'static str) -> Result<ParsedDocument> {
    let document = Document::new(DocumentId::new("page.html")?, media_type, body);
    AiMarkdownParser::new(ai).parse(&document).await
}

async fn a_page_becomes_markdown(ai: AiBinding) -> Check {
    let parsed = parse(ai, MediaType::HTML, "<h1>Tea &amp; water</h1><p>70 °C</p>").await;
    let parsed = parsed.map_err(|error| failed(&error.to_string()))?;
    let heading = parsed.headings.first().map(|heading| heading.text.as_str());
    match heading == Some("Tea & water") && parsed.text.contains("70 °C") {
        true => Ok(()),
        false => Err(failed(&format!("it became {:?}", parsed.text))),
    }
}

async fn what_is_not_converted_says_why(ai: AiBinding) -> Check {
    match parse(ai, MediaType::parse("application/x-nothing"), "?").await {
        Err(error) if error.kind() == ErrorKind::Unsupported && error.param() == Some("body") => Ok(()),
        other => Err(failed(&format!("it is {other:?}"))),
    }
}

async fn the_formats_are_told(ai: AiBinding) -> Check {
    let formats = ai
        .markdown_formats()
        .await
        .map_err(|error| failed(&error.to_string()))?;
    match formats
        .iter()
        .any(|format| format.media_type == "text/html" && format.extension == ".html")
    {
        true => Ok(()),
        false => Err(failed(&format!("they are {formats:?}"))),
    }
}

fn failed(sentence: &str) -> Stop {
    Stop::Failed(sentence.to_owned())
}
