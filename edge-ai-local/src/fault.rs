//! Faults on demand: what to do instead of, or to, a good answer.

pub(crate) mod directive;
mod plan;
mod rules;

pub(crate) use plan::{Instead, Plan};
pub(crate) use rules::{Rules, Subject};

use axum::http::HeaderMap;

use crate::surface::Surface;

/// Header that carries a fault for one request.
pub(crate) const HEADER: &str = "x-edge-ai-fault";

/// The fault that a request meets: by header, else by a directive in its text, else by rule.
pub(crate) fn for_request(rules: &Rules, headers: &HeaderMap, subject: &Subject<'_>) -> Result<Plan, String> {
    let by_header = headers
        .get(HEADER)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let by_text = || subject.text.and_then(directive::find).map(str::to_owned);
    if let Some(spec) = by_header.or_else(by_text) {
        let plan: Plan = spec.parse()?;
        if applies(&plan, subject.surface) && rules.takes(&plan, subject) {
            return Ok(plan);
        }
    }
    Ok(rules.matching(subject).unwrap_or_default())
}

fn applies(plan: &Plan, surface: Surface) -> bool {
    plan.only.is_none_or(|only| only == surface)
}
