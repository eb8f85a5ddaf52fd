use async_trait::async_trait;
use edge_ai_core::Result;

use crate::guard::{Finding, Guard, Phase, View};

/// Bounds the texts of a request or an answer, in characters, all of them together.
///
/// ```
/// use edge_ai_guard::{Guardrails, Length, Rule};
///
/// let rules = Guardrails::new().with(Rule::block(Length::request_at_most(20_000)));
/// ```
#[derive(Clone, Debug)]
pub struct Length {
    phase: Phase,
    at_least: usize,
    at_most: usize,
}

impl Length {
    /// A request of at most so many characters.
    pub const fn request_at_most(characters: usize) -> Self {
        Self::new(Phase::Request, 0, characters)
    }

    /// An answer of at most so many characters.
    pub const fn answer_at_most(characters: usize) -> Self {
        Self::new(Phase::Answer, 0, characters)
    }

    /// Texts of `at_least` to `at_most` characters together. An answer that calls tools may be shorter.
    pub const fn new(phase: Phase, at_least: usize, at_most: usize) -> Self {
        Self {
            phase,
            at_least,
            at_most,
        }
    }
}

#[async_trait]
impl Guard for Length {
    fn name(&self) -> &str {
        "length"
    }

    fn looks_at(&self, phase: Phase) -> bool {
        self.phase == phase
    }

    async fn check(&self, view: &View<'_>) -> Result<Vec<Finding>> {
        let mut total = 0_usize;
        for (index, passage) in view.passages.iter().enumerate() {
            total += passage.text.chars().count();
            if total > self.at_most {
                let detail = format!("more than {} characters", self.at_most);
                return Ok(vec![
                    Finding::whole(index, passage, "too_long").with_detail(detail),
                ]);
            }
        }
        if total < self.at_least && !view.calls_tools {
            let detail = format!("{total} characters of at least {}", self.at_least);
            return Ok(vec![Finding::new(0, 0..0, "too_short").with_detail(detail)]);
        }
        Ok(Vec::new())
    }
}
