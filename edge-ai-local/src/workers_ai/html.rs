//! HTML to Markdown, for the common elements of a page's text.

/// Elements whose content is not text of the page.
const SILENT: &[&str] = &["script", "style", "head", "noscript", "template", "svg"];

/// Converts a page. Tags that mean nothing in Markdown are dropped, their text stays.
pub(super) fn to_markdown(html: &str) -> String {
    let mut page = Page::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        page.text(&rest[..at]);
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        let Some(end) = rest.find('>') else { break };
        let tag = &rest[1..end];
        rest = &rest[end + 1..];
        let name = tag_name(tag);
        if SILENT.contains(&name.as_str()) && !tag.ends_with('/') {
            rest = after_closing(rest, &name);
            continue;
        }
        page.tag(&name, tag);
    }
    if !rest.starts_with('<') {
        page.text(rest);
    }
    page.finish()
}

#[derive(Debug, Default)]
struct Page {
    out: String,
    links: Vec<String>,
    /// Numbers of the open lists' next items; none in a list without numbers.
    lists: Vec<Option<usize>>,
    preformatted: bool,
}

impl Page {
    fn text(&mut self, raw: &str) {
        let text = decode_entities(raw);
        if self.preformatted {
            self.out.push_str(&text);
            return;
        }
        for (at, word) in text.split(char::is_whitespace).enumerate() {
            if at > 0 && !self.out.is_empty() && !self.out.ends_with([' ', '\n']) {
                self.out.push(' ');
            }
            self.out.push_str(word);
        }
    }

    fn tag(&mut self, name: &str, tag: &str) {
        let closing = tag.starts_with('/');
        match (name, closing) {
            ("h1" | "h2" | "h3" | "h4" | "h5" | "h6", false) => {
                self.block();
                let level = name[1..].parse().unwrap_or(1);
                self.out.push_str(&"#".repeat(level));
                self.out.push(' ');
            }
            ("p" | "div" | "section" | "article" | "table" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6", _) => {
                self.block()
            }
            ("br" | "tr", _) => self.line(),
            ("td" | "th", true) => self.out.push_str(" | "),
            ("hr", _) => {
                self.block();
                self.out.push_str("---");
                self.block();
            }
            ("strong" | "b", _) => self.out.push_str("**"),
            ("em" | "i", _) => self.out.push('*'),
            ("code", _) if !self.preformatted => self.out.push('`'),
            ("pre", false) => {
                self.block();
                self.out.push_str("```\n");
                self.preformatted = true;
            }
            ("pre", true) => {
                self.preformatted = false;
                self.line();
                self.out.push_str("```");
                self.block();
            }
            ("blockquote", false) => {
                self.block();
                self.out.push_str("> ");
            }
            ("ul" | "ol", false) => {
                if self.lists.is_empty() {
                    self.block()
                } else {
                    self.line()
                }
                self.lists.push((name == "ol").then_some(1));
            }
            ("ul" | "ol", true) => {
                self.lists.pop();
                if self.lists.is_empty() {
                    self.block()
                } else {
                    self.line()
                }
            }
            ("li", false) => {
                self.line();
                let indent = "  ".repeat(self.lists.len().saturating_sub(1));
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_owned(),
                };
                self.out.push_str(&indent);
                self.out.push_str(&mark);
            }
            ("a", false) => {
                self.out.push('[');
                self.links.push(attribute(tag, "href").unwrap_or_default());
            }
            ("a", true) => {
                if let Some(link) = self.links.pop() {
                    self.out.push_str(&format!("]({link})"));
                }
            }
            ("img", _) => {
                let (alt, src) = (attribute(tag, "alt"), attribute(tag, "src"));
                self.out.push_str(&format!(
                    "![{}]({})",
                    alt.unwrap_or_default(),
                    src.unwrap_or_default()
                ));
            }
            _ => {}
        }
    }

    fn line(&mut self) {
        self.trim();
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }

    fn block(&mut self) {
        self.line();
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    fn trim(&mut self) {
        self.out.truncate(self.out.trim_end_matches(' ').len());
    }

    fn finish(self) -> String {
        let text = self.out.trim();
        if text.is_empty() {
            String::new()
        } else {
            format!("{text}\n")
        }
    }
}

fn tag_name(tag: &str) -> String {
    let name = tag.trim_start_matches('/');
    name.split(|c: char| !c.is_ascii_alphanumeric())
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
}

fn after_closing<'h>(rest: &'h str, name: &str) -> &'h str {
    let closing = format!("</{name}");
    let at = rest.to_ascii_lowercase().find(&closing);
    at.and_then(|at| rest.get(at..)?.split_once('>'))
        .map_or("", |(_, after)| after)
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let at = tag.to_ascii_lowercase().find(&format!("{name}="))?;
    let value = tag.get(at + name.len() + 1..)?;
    let value = match value.chars().next()? {
        quote @ ('"' | '\'') => value.get(1..)?.split(quote).next()?,
        _ => value.split(|c: char| c.is_whitespace() || c == '/').next()?,
    };
    Some(decode_entities(value))
}

fn decode_entities(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        let entity = after.split_once(';').filter(|(name, _)| name.len() <= 8);
        match entity.and_then(|(name, tail)| Some((character(name)?, tail))) {
            Some((c, tail)) => {
                decoded.push(c);
                rest = tail;
            }
            None => {
                decoded.push('&');
                rest = after;
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

fn character(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::to_markdown;

    #[test]
    fn the_common_elements() {
        let html = "<html><head><title>no</title></head><body><h2>A &amp; B</h2><p>One <b>bold</b>\n <a href=\"/x\">link</a>.</p>\
                    <ul><li>first<li>second</ul><script>if (a < b) {}</script><pre>let x;\n  y</pre><!-- no --></body>";
        assert_eq!(
            to_markdown(html),
            "## A & B\n\nOne **bold** [link](/x).\n\n- first\n- second\n\n```\nlet x;\n  y\n```\n"
        );
        assert_eq!(to_markdown("<ol><li>a</li><li>b</li></ol>"), "1. a\n2. b\n");
        assert_eq!(to_markdown("1 &lt; 2 &#x41; &nope;"), "1 < 2 A &nope;\n");
    }

    proptest! {
        #[test]
        fn no_page_panics(html in "[<>/a-z \"'=&;é!-]{0,120}") {
            let _ = to_markdown(&html);
        }
    }
}
