//! Numbers within a schema's bounds.

use serde_json::{Number, Value};

use super::Filler;

impl Filler<'_> {
    pub(super) fn number(&self, schema: &Value, whole: bool) -> Value {
        let offered = {
            let mut used = self.used.borrow_mut();
            let offered = self
                .hints
                .numbers
                .get(used.numbers)
                .or(self.hints.numbers.last())
                .copied();
            used.numbers += 1;
            offered
        };
        let value = bounded(offered.unwrap_or(1.0), schema, whole);
        if whole || (value.fract() == 0.0 && value.abs() < 9e15) {
            Value::from(value as i64)
        } else {
            Number::from_f64(value).map_or(Value::from(0), Value::Number)
        }
    }
}

fn bounded(value: f64, schema: &Value, whole: bool) -> f64 {
    let bound = |key| schema.get(key).and_then(Value::as_f64);
    let step = bound("multipleOf").filter(|step| *step > 0.0);
    let nudge = step.unwrap_or(if whole { 1.0 } else { 1e-3 });
    let low = bound("minimum")
        .into_iter()
        .chain(bound("exclusiveMinimum").map(|low| low + nudge))
        .reduce(f64::max);
    let high = bound("maximum")
        .into_iter()
        .chain(bound("exclusiveMaximum").map(|high| high - nudge))
        .reduce(f64::min);
    let mut value = value.max(low.unwrap_or(f64::MIN)).min(high.unwrap_or(f64::MAX));
    if whole {
        value = value.round();
    }
    if let Some(step) = step {
        value = (value / step).round() * step;
        if low.is_some_and(|low| value < low) {
            value += step;
        }
        if high.is_some_and(|high| value > high) {
            value -= step;
        }
    }
    value
}
