use std::fmt;
use std::iter::Sum;
use std::ops::Add;

use serde::{Deserialize, Serialize};

/// An amount of US dollars, as a whole number of nano-dollars: sums are exact, and no price is lost in a float.
///
/// ```
/// use edge_ai_core::Money;
///
/// let price = Money::from_nano_dollars(2_010_000);
/// assert_eq!(price.to_string(), "$0.00201");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money(i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From billionths of a dollar.
    pub const fn from_nano_dollars(nano_dollars: i64) -> Self {
        Self(nano_dollars)
    }

    /// Billionths of a dollar.
    pub const fn as_nano_dollars(self) -> i64 {
        self.0
    }
}

impl Add for Money {
    type Output = Self;

    /// Saturates.
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NANO: u64 = 1_000_000_000;
        let amount = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let fraction = format!("{:09}", amount % NANO);
        let cents = fraction.trim_end_matches('0').len().max(2);
        write!(
            f,
            "{sign}${}.{}",
            amount / NANO,
            fraction.get(..cents).unwrap_or(&fraction)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_shows_what_it_is() {
        for (nano, text) in [
            (0, "$0.00"),
            (1, "$0.000000001"),
            (1_500_000_000, "$1.50"),
            (-20_000_000, "-$0.02"),
            (720_000, "$0.00072"),
        ] {
            assert_eq!(Money::from_nano_dollars(nano).to_string(), text);
        }
    }
}
