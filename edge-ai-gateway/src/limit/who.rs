use std::net::IpAddr;

use edge_ai_core::{LimitFilter, LimitRule, LimitScope};
use std::fmt::Write as _;

use super::gate::Asking;

/// The values of a rule's scopes. Each is marked with what it is, so that no value can pass for another's.
pub(super) fn who(rule: &LimitRule, asking: &Asking<'_>) -> String {
    let mut who = String::new();
    let context = asking.context;
    for scope in &rule.per {
        if !who.is_empty() {
            who.push('\n');
        }
        // Writing to a text does not fail.
        let _ = match scope {
            LimitScope::Ip => write!(who, "ip={}", address(context.address)),
            LimitScope::Key => write!(who, "key={}", context.key.as_deref().unwrap_or_default()),
            LimitScope::Tenant => write!(who, "tenant={}", context.tenant.as_deref().unwrap_or_default()),
            LimitScope::Model => write!(who, "model={}", asking.model),
            LimitScope::Provider => write!(who, "provider={}", provider(asking)),
            LimitScope::RoutedModel => write!(who, "target={}/{}", provider(asking), routed(asking)),
            _ => Ok(()),
        };
    }
    who
}

/// Whether a rule is for this request.
pub(super) fn applies(only: &LimitFilter, asking: &Asking<'_>) -> bool {
    let context = asking.context;
    let models = || {
        let target = asking
            .target
            .map(|(provider, model)| format!("{provider}/{model}"));
        let routed = asking.target.map(|(_, model)| model);
        LimitFilter::admits(
            &only.models,
            [Some(asking.model), routed, target.as_deref()]
                .into_iter()
                .flatten(),
        )
    };
    LimitFilter::admits(&only.tenants, context.tenant.as_deref())
        && LimitFilter::admits(&only.keys, context.key.as_deref())
        && LimitFilter::admits(&only.providers, asking.target.map(|(provider, _)| provider))
        && only
            .metadata
            .iter()
            .all(|(name, value)| context.metadata.get(name) == Some(value))
        && (only.models.is_empty() || models())
}

fn provider<'a>(asking: &Asking<'a>) -> &'a str {
    asking.target.map_or("", |(provider, _)| provider)
}

fn routed<'a>(asking: &Asking<'a>) -> &'a str {
    asking.target.map_or("", |(_, model)| model)
}

/// An IPv6 customer has at least a /64, so that is what counts as one caller
/// ([RFC 6177](https://www.rfc-editor.org/rfc/rfc6177)).
fn address(address: Option<IpAddr>) -> String {
    match address.map(|address| address.to_canonical()) {
        None => "unknown".to_owned(),
        Some(IpAddr::V4(v4)) => v4.to_string(),
        Some(IpAddr::V6(v6)) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::{Estimate, Stage};
    use edge_ai_core::{Context, LimitWindow};

    #[test]
    fn addresses_of_one_caller_share_a_bucket() {
        let of = |text: &str| address(text.parse().ok());
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:203.0.113.7"), of("203.0.113.7"));
        assert_eq!(of("nonsense"), "unknown");
    }

    fn asking(context: &Context) -> Asking<'_> {
        Asking {
            stage: Stage::Target,
            context,
            model: "smart",
            target: Some(("openai", "gpt-5-mini")),
            estimate: Estimate::default(),
        }
    }

    #[test]
    fn every_scope_is_told_apart() {
        let rule = LimitRule::requests(1, LimitWindow::MINUTE).per(LimitScope::ALL);
        let context = Context::default().with_tenant("acme").with_key("k1");
        assert_eq!(
            who(&rule, &asking(&context)),
            "ip=unknown\nkey=k1\ntenant=acme\nmodel=smart\ntarget=openai/gpt-5-mini\nprovider=openai"
        );
        assert_eq!(who(&LimitRule::concurrency(1), &asking(&context)), "");
    }

    #[test]
    fn filters_look_at_every_name_of_a_model() {
        let context = Context::default().with_tenant("acme");
        let asking = asking(&context);
        let only = LimitFilter::default;
        for (filter, expected) in [
            (only(), true),
            (only().models(["smart"]), true),
            (only().models(["gpt-5*"]), true),
            (only().models(["openai/gpt-5-mini"]), true),
            (only().models(["gpt-4"]), false),
            (only().providers(["anthropic"]), false),
            (only().tenants(["acme"]).providers(["openai"]), true),
            (only().keys(["k1"]), false),
            (only().metadata("plan", "free"), false),
        ] {
            assert_eq!(applies(&filter, &asking), expected, "{filter:?}");
        }
    }
}
