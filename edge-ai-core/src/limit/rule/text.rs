use std::fmt;
use std::str::FromStr;

use super::amount::{self, Amount};
use super::{LimitMeasure, LimitRule, LimitScope};
use crate::{Error, ErrorKind, Money, Result};

/// The short text, without name and filter: `100000 tokens per minute per key and model on leased`.
impl fmt::Display for LimitRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.measure {
            LimitMeasure::Spend => {
                let amount = i64::try_from(self.amount).unwrap_or(i64::MAX);
                write!(f, "{}", Money::from_nano_dollars(amount))?;
            }
            measure => write!(f, "{} {measure}", self.amount)?,
        }
        if let Some(window) = self.window {
            write!(f, " per {window}")?;
        }
        for (at, scope) in self.per.iter().enumerate() {
            write!(f, "{}{scope}", if at == 0 { " per " } else { " and " })?;
        }
        if self.backend != Self::ISOLATE {
            write!(f, " on {}", self.backend)?;
        }
        Ok(())
    }
}

/// Reads the text that [`Display`](fmt::Display) writes.
///
/// ```
/// use edge_ai_core::{LimitRule, LimitScope, LimitWindow};
///
/// let rule: LimitRule = "60 requests per minute per ip".parse()?;
/// assert_eq!(rule, LimitRule::requests(60, LimitWindow::MINUTE).per([LimitScope::Ip]));
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
impl FromStr for LimitRule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |what: String| {
            let shown: String = text.chars().take(80).collect();
            let message = format!("the limit `{shown}`: {what}; write it as `60 requests per minute per ip`");
            Error::new(ErrorKind::Configuration, message)
        };
        let mut words = text.split_whitespace().peekable();
        let amount = words.next().and_then(Amount::parse);
        let amount =
            amount.ok_or_else(|| wrong(format!("it begins with the amount, {}", amount::EXPECTED)))?;
        let (amount, dollars) = match amount {
            Amount::Whole(amount) => (amount, false),
            Amount::NanoDollars(amount) => (amount, true),
        };
        let named = words.peek().and_then(|word| measure(word));
        if named.is_some() {
            words.next();
        }
        let measure = match (named, dollars) {
            (None | Some(LimitMeasure::Spend), true) => LimitMeasure::Spend,
            (Some(LimitMeasure::Spend), false) => {
                return Err(wrong("`spend` is in dollars, as in `$25`".into()));
            }
            (Some(measure), false) => measure,
            (Some(measure), true) => return Err(wrong(format!("`{measure}` are not counted in dollars"))),
            (None, false) => {
                let names = LimitMeasure::ALL.map(LimitMeasure::as_str).join(", ");
                return Err(wrong(format!("after the amount comes what is counted ({names})")));
            }
        };
        let mut rule = Self::new(measure, amount, None);
        let mut scopes = Vec::new();
        while let Some(word) = words.next() {
            let next = words
                .next()
                .ok_or_else(|| wrong(format!("something is missing after `{word}`")))?;
            match (word, next.parse(), scope(next)) {
                ("per", Ok(window), _) if rule.window.is_none() && scopes.is_empty() => {
                    rule.window = Some(window)
                }
                ("per", _, Some(scope)) if scopes.is_empty() => scopes.push(scope),
                ("and", _, Some(scope)) if !scopes.is_empty() => scopes.push(scope),
                ("per" | "and", ..) => {
                    let names = LimitScope::ALL.map(LimitScope::as_str).join(", ");
                    return Err(wrong(format!(
                        "`{word} {next}` does not read: after `per` comes one window, then one of {names}, more of them after `and`"
                    )));
                }
                ("on", ..) => rule.backend = next.to_owned(),
                _ => return Err(wrong(format!("`{word}` is not understood"))),
            }
        }
        rule.name = rule.default_name();
        let rule = rule.per(scopes);
        rule.check()?;
        Ok(rule)
    }
}

fn measure(word: &str) -> Option<LimitMeasure> {
    LimitMeasure::ALL
        .into_iter()
        .find(|measure| measure.as_str() == word)
}

fn scope(word: &str) -> Option<LimitScope> {
    LimitScope::ALL.into_iter().find(|scope| scope.as_str() == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LimitWindow;
    use proptest::prelude::*;

    #[test]
    fn what_does_not_read_is_told() {
        for (text, words) in [
            ("", "begins with the amount"),
            ("many requests per minute", "begins with the amount"),
            ("60 per minute", "what is counted"),
            ("60 spend per month", "dollars"),
            ("$5 tokens per month", "not counted in dollars"),
            ("60 requests per minute per", "missing after `per`"),
            ("60 requests per minute per street", "`per street` does not read"),
            ("60 requests per minute per hour", "does not read"),
            ("60 requests and ip", "does not read"),
            ("60 requests each minute", "`each`"),
            ("60 requests per ip", "`window` is missing"),
            ("0 requests per minute", "`amount` is at least 1"),
            ("3 concurrency per minute", "`window` does not go"),
        ] {
            let error = text.parse::<LimitRule>().unwrap_err();
            assert!(error.message().contains(words), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn texts_come_back(
            amount in 1_u64..=i64::MAX as u64,
            measure in prop::sample::select(LimitMeasure::ALL.to_vec()),
            window in prop::sample::select(vec!["second", "10s", "minute", "hour", "day", "7d", "month"]),
            scopes in prop::sample::subsequence(LimitScope::ALL.to_vec(), 0..=6),
            backend in prop::sample::select(vec!["isolate", "leased", "own"]),
        ) {
            let window: LimitWindow = window.parse().unwrap();
            let window = (measure != LimitMeasure::Concurrency).then_some(window);
            let rule = LimitRule::new(measure, amount, window).per(scopes).on(backend);
            prop_assert_eq!(rule.to_string().parse::<LimitRule>().unwrap(), rule);
        }
    }
}
