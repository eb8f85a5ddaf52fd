use edge_ai_core::{CacheKey, ChatRequest, ContentPart, Result, Role, SemanticQuestion};

use super::key::digest;

/// The question of a request whose last turn is a user's text alone; anything else is compared word for word only.
pub(super) fn question(request: &ChatRequest, salt: &[u8]) -> Result<Option<SemanticQuestion>> {
    let Some(last) = request.messages.last().filter(|last| last.role == Role::User) else {
        return Ok(None);
    };
    let mut text = String::new();
    for part in &last.content {
        match part {
            ContentPart::Text(part) if part.extra.is_empty() => {
                text.push_str(&part.text);
                text.push('\n');
            }
            _ => return Ok(None),
        }
    }
    text.truncate(text.trim_end().len());
    if text.is_empty() || request.context.cache.key.is_some() {
        return Ok(None);
    }
    let mut rest = request.clone();
    if let Some(last) = rest.input.edit().messages.last_mut() {
        last.content.clear();
    }
    let scope = CacheKey::from_digest("scope", &digest(&rest, salt)?);
    let tenant = request.context.tenant.clone();
    Ok(Some(SemanticQuestion::new(scope, tenant, &request.model, text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::{Context, FunctionTool, RawJson};
    use std::collections::HashSet;

    fn scope(request: &ChatRequest) -> CacheKey {
        question(request, b"").unwrap().unwrap().scope
    }

    #[test]
    fn a_scope_is_all_but_the_text() {
        let base = || ChatRequest::new("m").system("s");
        assert_eq!(scope(&base().user("a")), scope(&base().user("b")));
        let tool = FunctionTool::new("f", "", RawJson::parse("{}").unwrap());
        let others = [
            base().user("a"),
            ChatRequest::new("n").system("s").user("a"),
            ChatRequest::new("m").system("t").user("a"),
            base().user("x").assistant("y").user("a"),
            base().user("a").temperature(0.5),
            base().user("a").tool(tool),
            base().user("a").with_context(Context::default().with_tenant("t")),
        ];
        let scopes: HashSet<_> = others.iter().map(scope).collect();
        assert_eq!(scopes.len(), others.len());
        assert_ne!(
            question(&base().user("a"), b"x").unwrap().unwrap().scope,
            scope(&others[0])
        );
    }

    #[test]
    fn only_a_users_text_is_a_question() {
        let image = ContentPart::image_url("https://example.com/a.png");
        let mut pictured = ChatRequest::new("m").user("what is this?");
        pictured.input.edit().messages[0].content.push(image);
        for request in [
            pictured,
            ChatRequest::new("m").user("a").assistant("b"),
            ChatRequest::new("m"),
        ] {
            assert_eq!(question(&request, b"").unwrap(), None);
        }
    }
}
