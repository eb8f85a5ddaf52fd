use edge_ai_core::{Extra, Result};

use crate::openai::CHAT;
use crate::wire::{Fields, Path};

const BODY: Path<'static> = Path::ROOT.field("extra_body");
const GOOGLE: Path<'static> = BODY.field("google");

/// What clients of Google's compatible endpoint say in
/// [`extra_body.google`](https://ai.google.dev/gemini-api/docs/openai#extra-body).
#[derive(Debug, Default)]
pub(super) struct GoogleOptions<'a> {
    safety_settings: Option<&'a str>,
    cached_content: Option<&'a str>,
    pub(super) thinking_config: Option<&'a str>,
}

impl<'a> GoogleOptions<'a> {
    pub(super) fn of(extra: &'a Extra) -> Result<Self> {
        let Some(text) = extra.get(&CHAT, "extra_body") else {
            return Ok(Self::default());
        };
        let mut body = Fields::parse(text.get(), BODY)?;
        let Some(text) = body.take_raw("google") else {
            return Ok(Self::default());
        };
        let mut google = Fields::parse(text, GOOGLE)?;
        Ok(Self {
            safety_settings: google.take_raw("safety_settings"),
            cached_content: google.take_raw("cached_content"),
            thinking_config: google.take_raw("thinking_config"),
        })
    }

    /// What stands in the body itself. Google reads names with underscores within it as well.
    pub(super) fn top(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        [
            ("safetySettings", self.safety_settings),
            ("cachedContent", self.cached_content),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }
}
