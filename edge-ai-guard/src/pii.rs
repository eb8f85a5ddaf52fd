//! Personal data that has a form.

mod bank;
mod email;
mod ip;
mod phone;
mod shape;

use std::sync::Arc;

use async_trait::async_trait;
use edge_ai_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use crate::guard::Guard;
use crate::matcher::{Matcher, Sight, Step};
use shape::Shape;

/// Finds personal data that has a form: addresses and numbers. Names and street addresses have none; they are not found.
///
/// ```
/// use edge_ai_guard::{Pii, PiiKind, find};
///
/// let pii = Pii::of([PiiKind::Email]).shape("employee", "E-######")?;
/// let hits = find("ada@example.com, E-123456, 10.1.2.3", &pii);
/// assert_eq!(hits.iter().map(|hit| &*hit.category).collect::<Vec<_>>(), ["email", "employee"]);
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pii {
    kinds: Vec<PiiKind>,
    regions: Vec<Region>,
    shapes: Vec<(Arc<str>, Shape)>,
}

/// A kind of personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PiiKind {
    /// E-mail addresses.
    Email,
    /// Phone numbers: international ones, and the national forms of the [regions](Region).
    Phone,
    /// Payment cards: 13 to 19 digits of a known issuer whose check digit is right.
    CreditCard,
    /// International bank account numbers of the right length for their country whose check digits are right.
    Iban,
    /// Social security numbers of the United States, with dashes or blanks, within the ranges that are given out.
    UsSsn,
    /// IPv4 and IPv6 addresses, except loopback and unspecified ones.
    IpAddress,
}

/// Where national phone numbers are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Region {
    /// The United States, Canada and the others of the North American plan: `(555) 234-5678`, `555-234-5678`, `1 555.234.5678`.
    NorthAmerica,
    /// Europe, where numbers start with a zero: `030 1234567`, `020 7946 0958`, `06 12 34 56 78`.
    Europe,
}

impl PiiKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::CreditCard,
        Self::Iban,
        Self::UsSsn,
        Self::IpAddress,
        Self::Phone,
        Self::Email,
    ];

    /// The name in findings and configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::CreditCard => "credit_card",
            Self::Iban => "iban",
            Self::UsSsn => "us_ssn",
            Self::IpAddress => "ip_address",
        }
    }
}

impl Pii {
    /// Every kind, of every region.
    pub fn all() -> Self {
        Self::of(PiiKind::ALL)
    }

    /// These kinds.
    pub fn of(kinds: impl IntoIterator<Item = PiiKind>) -> Self {
        let wanted: Vec<PiiKind> = kinds.into_iter().collect();
        // The stricter form first, where several fit.
        let kinds = PiiKind::ALL
            .into_iter()
            .filter(|kind| wanted.contains(kind))
            .collect();
        Self {
            kinds,
            regions: vec![Region::NorthAmerica, Region::Europe],
            shapes: Vec::new(),
        }
    }

    /// Sets the regions whose national phone numbers are found; all unless set. International ones are always found.
    #[must_use]
    pub fn regions(self, regions: impl IntoIterator<Item = Region>) -> Self {
        Self {
            regions: regions.into_iter().collect(),
            ..self
        }
    }

    /// Adds a kind of one's own by its shape, such as a national identity number: `#` is a digit, `@` a letter, `*` either, a blank an optional
    /// separator (blank, dash, dot or slash), and everything else itself. A shape is found where no letter or digit stands on either side.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a shape without `#`, `@` or `*`, one longer than 64 characters, or a name that is empty.
    pub fn shape(mut self, name: &str, shape: &str) -> Result<Self> {
        let wrong = |problem: &str| {
            let message = format!("the PII shape `{name}` (`{shape}`) {problem}");
            Error::new(ErrorKind::Configuration, message)
        };
        if name.is_empty() || name.len() > 48 {
            return Err(wrong("needs a name of 1 to 48 bytes"));
        }
        let parsed =
            Shape::parse(shape).ok_or_else(|| wrong("needs a `#`, `@` or `*`, and at most 64 characters"))?;
        self.shapes.push((name.into(), parsed));
        Ok(self)
    }
}

impl Matcher for Pii {
    fn window(&self) -> usize {
        email::MAX + 2
    }

    fn step(&self, sight: &Sight<'_>) -> Step {
        for (name, shape) in &self.shapes {
            let step = shape.step(sight, name);
            if !step.is_no() {
                return step;
            }
        }
        for kind in &self.kinds {
            let step = match kind {
                PiiKind::Email => email::step(sight),
                PiiKind::Phone => phone::step(sight, &self.regions),
                PiiKind::CreditCard => bank::card(sight),
                PiiKind::Iban => bank::iban(sight),
                PiiKind::UsSsn => phone::ssn(sight),
                PiiKind::IpAddress => ip::step(sight),
            };
            if !step.is_no() {
                return step;
            }
        }
        Step::No
    }
}

#[async_trait]
impl Guard for Pii {
    fn name(&self) -> &str {
        "pii"
    }

    fn matcher(&self) -> Option<Arc<dyn Matcher>> {
        Some(Arc::new(self.clone()))
    }
}

#[cfg(test)]
mod tests;
