use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::amount::Amount;
use super::{LimitFilter, LimitMeasure, LimitRule, LimitScope, LimitWindow};

/// A rule as it is written.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "LimitRuleObject"))]
#[serde(deny_unknown_fields)]
struct Written {
    /// The policy's name in headers and errors: lower-case letters, digits, `-` and `_`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// What is counted.
    measure: LimitMeasure,
    /// How much: a whole number, or for `spend` dollars as text.
    amount: Amount,
    /// In how long; `concurrency` has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    window: Option<LimitWindow>,
    /// Each combination of these counts for itself; none is one count for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    per: Vec<LimitScope>,
    /// What it applies to.
    #[serde(default, skip_serializing_if = "is_default")]
    only: LimitFilter,
    /// Where it is counted: `isolate`, `leased`, `binding`, `kv`, or the name of one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    backend: Option<String>,
}

fn is_default(filter: &LimitFilter) -> bool {
    *filter == LimitFilter::default()
}

impl Written {
    fn into_rule(self) -> Result<LimitRule, String> {
        let amount = match (self.measure, self.amount) {
            (LimitMeasure::Spend, Amount::NanoDollars(amount)) => amount,
            (LimitMeasure::Spend, Amount::Whole(amount)) => {
                return Err(format!(
                    "`amount` of `spend` is dollars as text: `\"${amount}\"`, not `{amount}`"
                ));
            }
            (_, Amount::Whole(amount)) => amount,
            (measure, Amount::NanoDollars(_)) => {
                return Err(format!(
                    "`amount` of `{measure}` is a whole number; dollars go with `spend`"
                ));
            }
        };
        let mut rule = LimitRule::new(self.measure, amount, self.window).per(self.per);
        if let Some(name) = self.name {
            rule.name = name;
        }
        rule.only = self.only;
        if let Some(backend) = self.backend {
            rule.backend = backend;
        }
        rule.check().map_err(|error| error.message().to_owned())?;
        Ok(rule)
    }
}

impl Serialize for LimitRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written {
            name: Some(self.name.clone()),
            measure: self.measure,
            amount: match self.measure {
                LimitMeasure::Spend => Amount::NanoDollars(self.amount),
                _ => Amount::Whole(self.amount),
            },
            window: self.window,
            per: self.per.clone(),
            only: self.only.clone(),
            backend: Some(self.backend.clone()),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for LimitRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrObject;
        impl<'de> Visitor<'de> for TextOrObject {
            type Value = LimitRule;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a limit: an object, or a text such as \"60 requests per minute per ip\"")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<LimitRule, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<LimitRule, A::Error> {
                Written::deserialize(MapAccessDeserializer::new(map))?
                    .into_rule()
                    .map_err(A::Error::custom)
            }
        }
        deserializer.deserialize_any(TextOrObject)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for LimitRule {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "LimitRule".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let object = generator.subschema_for::<Written>();
        schemars::json_schema!({
            "description": "A limit: an object, or a text such as \"60 requests per minute per ip\".",
            "anyOf": [{ "type": "string" }, object]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<LimitRule, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn objects_come_back_as_they_went() {
        let rules = [
            LimitRule::requests(60, LimitWindow::MINUTE).per([LimitScope::Ip]),
            LimitRule::spend(
                crate::Money::from_nano_dollars(12_500_000_000),
                LimitWindow::Month,
            )
            .per([LimitScope::Tenant, LimitScope::Model])
            .on(LimitRule::LEASED)
            .only(
                LimitFilter::default()
                    .tenants(["acme"])
                    .metadata("team", "search"),
            )
            .named("budget"),
            LimitRule::concurrency(3).per([LimitScope::Provider]),
        ];
        for rule in rules {
            let json = serde_json::to_string(&rule).unwrap();
            assert_eq!(read(&json).unwrap(), rule, "{json}");
        }
    }

    #[test]
    fn errors_name_the_field_and_the_remedy() {
        for (json, words) in [
            (
                r#"{"measure":"requests","amount":1,"window":"minute","pre":["ip"]}"#,
                "unknown field `pre`",
            ),
            (r#"{"measure":"requests","amount":1}"#, "`window` is missing"),
            (r#"{"measure":"request","amount":1}"#, "unknown variant `request`"),
            (
                r#"{"measure":"requests","amount":1,"window":"fortnight"}"#,
                "`fortnight` is no window",
            ),
            (
                r#"{"measure":"requests","amount":"many","window":"day"}"#,
                "`amount` is a whole number",
            ),
            (r#"{"measure":"requests","amount":-1,"window":"day"}"#, "`amount`"),
            (r#"{"measure":"spend","amount":25,"window":"day"}"#, r#"`"$25"`"#),
            (
                r#"{"measure":"tokens","amount":"$25","window":"day"}"#,
                "dollars go with `spend`",
            ),
            (
                r#"{"measure":"tokens","amount":5,"window":"day","only":{"model":[]}}"#,
                "unknown field `model`",
            ),
            ("7", "a limit: an object, or a text"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(words), "{json}: {error}");
        }
    }

    #[cfg(feature = "schema")]
    #[test]
    fn the_schema_has_every_field() {
        let schema = serde_json::to_string(&schemars::schema_for!(LimitRule)).unwrap();
        for field in ["name", "measure", "amount", "window", "per", "only", "backend"] {
            assert!(schema.contains(&format!("\"{field}\"")), "{field}: {schema}");
        }
    }
}
