//! What the parsers take from documents, and what they refuse.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(all(feature = "csv", feature = "html", feature = "markdown"))]

use edge_ai_core::{ErrorKind, Result};
use edge_ai_rag::{
    AutoSplitter, CsvParser, Document, DocumentId, Formats, HtmlParser, JsonParser, Limits, MarkdownParser,
    MediaType, ParsedDocument, Parser, Splitter, TextParser,
};
use futures_executor::block_on;
use proptest::prelude::*;

fn document(media_type: &str, body: impl Into<Vec<u8>>) -> Document {
    Document::new(
        DocumentId::new("a").unwrap(),
        MediaType::parse(media_type),
        body.into(),
    )
}

fn html(body: &str) -> ParsedDocument {
    HtmlParser::default().read(&document("text/html", body)).unwrap()
}

#[test]
fn markdown_is_kept_byte_for_byte_with_its_headings() {
    let source = "---\ntitle: \"The guide\"\nauthor: Ada\ntags: [a, b]\n---\n\nTop `x`\n=======\n\n```\n# no heading\n```\n\n> ## In *a* quote\n";
    let parsed = MarkdownParser::default()
        .read(&document("text/markdown", source))
        .unwrap();
    assert_eq!(parsed.text, source);
    assert_eq!(parsed.title.as_deref(), Some("The guide"));
    assert_eq!(parsed.metadata["author"], "Ada");
    assert_eq!(parsed.metadata.len(), 1);
    let headings: Vec<_> = parsed
        .headings
        .iter()
        .map(|found| (found.level, found.text.as_str()))
        .collect();
    assert_eq!(headings, [(1, "Top x"), (2, "In a quote")]);
    assert!(parsed.text[parsed.headings[0].offset..].starts_with("Top `x`"));
}

#[test]
fn a_page_keeps_what_is_its_own() {
    let parsed = html(
        "<!doctype html><html lang=en><head><title> The  page </title><meta name=Description content='About it'>\
         <style>p { color: red }</style><script>if (a < b) { '<p>no</p>' }</script></head><body>\
         <header><h1>Site</h1></header><nav><ul><li>Home</ul></nav>\
         <main><article><header><h2>News</h2></header><p>One&nbsp;two &mdash; <a href=/x>three</a><br>four\n  five</p>\
         <p hidden>secret</p><!-- comment --></article></main><footer>Imprint</footer></body></html>",
    );
    assert_eq!(parsed.text, "## News\n\nOne two — three\nfour five\n");
    assert_eq!(parsed.title.as_deref(), Some("The page"));
    assert_eq!(
        (&parsed.metadata["lang"], &parsed.metadata["description"]),
        (&"en".into(), &"About it".into())
    );
    assert_eq!(parsed.headings[0].text, "News");
}

#[test]
fn lists_tables_and_code_become_markdown() {
    assert_eq!(
        html("<p>Do:<ol><li>one<ul><li>deep</ul><li>two</ol>then").text,
        "Do:\n\n1. one\n  - deep\n2. two\n\nthen\n"
    );
    assert_eq!(
        html("<table><tr><th>Tea<th>°C</tr><tr><td><p>Green</p><td>70 | 80</table>after").text,
        "| Tea | °C |\n| --- | --- |\n| Green | 70 \\| 80 |\n\nafter\n"
    );
    assert_eq!(
        html("<pre class=\"x language-rust\">fn a() {\n    b &lt; c\n}</pre><p>x").text,
        "```rust\nfn a() {\n    b < c\n}\n```\n\nx\n"
    );
}

#[test]
fn soup_is_read_to_its_end() {
    for (soup, text) in [
        ("<p>a<div>b</p></div></div>c", "a\n\nb\n\nc\n"),
        ("<h1>a<h2>b", "# a\n\n## b\n"),
        ("<nav>x<nav>y</nav>z</nav>a", "a\n"),
        ("a &lt b &bogus; &#x41;", "a < b &bogus; A\n"),
        ("<td>a</td></table></tr><li>b", "a\n\n- b\n"),
        ("<p hidden>no<p>yes", "yes\n"),
        ("<h1></h1><p>", ""),
        ("a<", "a<\n"),
    ] {
        assert_eq!(html(soup).text, text, "{soup}");
    }
    let deep = "<ul>".repeat(1_000);
    let error = HtmlParser::default()
        .read(&document("text/html", deep))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(html(&"<div><b>".repeat(50_000)).text.is_empty());
}

#[test]
fn rows_say_what_their_cells_are() {
    let read = |media_type: &str, body: &str| CsvParser::default().read(&document(media_type, body));
    let parsed = read(
        "text/csv",
        "name;note;\n\"Ada; L.\";\"two\n\nlines\";x\n;;\nGrace\n",
    )
    .unwrap();
    assert_eq!(
        parsed.text,
        "name: Ada; L.\nnote: two lines\ncolumn 3: x\n\nname: Grace\n"
    );
    assert!(parsed.warnings[0].starts_with("1 rows"));
    assert_eq!(
        read("text/tab-separated-values", "a,b\tc\n1\t2").unwrap().text,
        "a,b: 1\nc: 2\n"
    );
    assert_eq!(read("text/csv", "").unwrap().text, "");
}

#[test]
fn json_is_flattened_record_by_record() {
    let read = |media_type: &str, body: &str| JsonParser::default().read(&document(media_type, body));
    assert_eq!(
        read(
            "application/x-ndjson",
            "{\"a\":{\"b\":1,\"c\":null}}\n\n{\"d\":[{\"e\":true},\"f\"]}\n[]\n"
        )
        .unwrap()
        .text,
        "a.b: 1\n\nd.1.e: true\nd.2: f\n"
    );
    assert_eq!(
        read("application/json", "\"just text\"").unwrap().text,
        "just text\n"
    );
    let error = read("application/x-ndjson", "{}\n{").unwrap_err();
    assert!(error.message().starts_with("line 2"), "{error}");
    assert_eq!(error.param(), Some("body"));
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    assert!(read("application/json", &deep).is_err());
}

#[test]
fn records_stay_whole_in_chunks() {
    let rows: String = (0..50).map(|row| format!("item {row},{}\n", row * 7)).collect();
    let parsed = CsvParser::default()
        .read(&document("text/csv", format!("name,price\n{rows}")))
        .unwrap();
    for chunk in AutoSplitter::characters(100).split(&parsed) {
        assert_eq!(
            chunk.text.matches("name: ").count(),
            chunk.text.matches("price: ").count()
        );
    }
}

#[test]
fn bounds_hold_and_name_the_remedy() {
    let limits = Limits::default().bytes(10);
    let long = document("text/plain", "eleven bytes");
    let parsers: [&dyn Parser; 5] = [
        &TextParser::new(limits),
        &MarkdownParser::new(limits),
        &HtmlParser::new(limits),
        &CsvParser::new(limits),
        &JsonParser::new(limits),
    ];
    for parser in parsers {
        let error = block_on(parser.parse(&long)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert!(error.message().contains("Limits::max_bytes"));
    }
    // A small table whose header makes a large text.
    let limits = Limits::default().bytes(4_000);
    let bomb = format!("{}\n{}", "h".repeat(500), "1\n".repeat(1_000));
    assert_eq!(
        CsvParser::new(limits)
            .read(&document("text/csv", bomb))
            .unwrap_err()
            .kind(),
        ErrorKind::TooLarge
    );
}

fn parse(document: &Document) -> Result<ParsedDocument> {
    block_on(Formats::default().parse(document))
}

#[test]
fn a_format_is_told_by_type_then_name_then_body() {
    let of = |media_type: &str, id: &str, body: &[u8]| {
        let id = DocumentId::new(id).unwrap();
        let document = Document::new(id, MediaType::parse(media_type), body.to_vec());
        Formats::type_of(&document).essence().to_owned()
    };
    assert_eq!(of("text/html", "a.md", b"x"), "text/html");
    assert_eq!(of("text/plain; charset=utf-8", "a.md", b"x"), "text/markdown");
    assert_eq!(of("application/octet-stream", "a.csv", b"x"), "text/csv");
    assert_eq!(of("", "a", b" <!DOCTYPE HTML><p>"), "text/html");
    assert_eq!(of("", "a", b"%PDF-1.7"), "application/pdf");
    assert_eq!(of("", "a", b"{\"a\": 1}"), "application/json");
    assert_eq!(of("", "a", b"{braces}"), "text/plain");
    assert_eq!(of("", "a", b"\0\x01\x02"), "application/octet-stream");
}

#[test]
fn an_unknown_format_is_refused_with_those_that_are_known() {
    let error = parse(&document("image/png", "x")).unwrap_err();
    assert_eq!(
        (error.kind(), error.param()),
        (ErrorKind::Unsupported, Some("content-type"))
    );
    assert!(error.message().contains("text/markdown"), "{error}");
    // Types without a parser of their own are text when they say so.
    assert_eq!(
        parse(&document("text/x-rust", "fn a() {}"))
            .unwrap()
            .media_type
            .essence(),
        "text/x-rust"
    );
}

#[test]
fn a_fingerprint_tells_one_set_of_parsers_from_another() {
    let formats = Formats::default();
    let other = formats
        .clone()
        .with(["text/html"], std::sync::Arc::new(TextParser::default()));
    assert_eq!(formats.fingerprint(), Formats::default().fingerprint());
    assert_ne!(formats.fingerprint(), other.fingerprint());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..300), at in 0_usize..6) {
        let types = ["text/plain", "text/markdown", "text/html", "text/csv", "application/json", ""];
        if let Ok(parsed) = parse(&document(types[at], body)) {
            check(&parsed)?;
        }
    }

    #[test]
    fn any_soup_is_read(soup in "(<(/)?(h1|h2|ul|ol|li|table|tr|td|pre|p|div|nav|title|script|b|section|header)>|[a-z&;|`# \n]{0,6}|é){0,40}") {
        check(&html(&soup))?;
    }

    #[test]
    fn any_markdown_is_read(text in "(#{1,6} |[a-z]{1,5}|\n|```|---\n|===\n|> |- |[0-9]\\. |`|\\*|é|\t){0,60}") {
        let parsed = parse(&document("text/markdown", text.clone())).unwrap();
        prop_assert_eq!(&parsed.text, &text);
        check(&parsed)?;
    }
}

/// Headings are where they are said to be, in their order.
fn check(parsed: &ParsedDocument) -> std::result::Result<(), TestCaseError> {
    let mut last = None;
    for heading in &parsed.headings {
        prop_assert!(parsed.text.is_char_boundary(heading.offset) && heading.offset < parsed.text.len());
        prop_assert!(last < Some(heading.offset) && (1..=6).contains(&heading.level));
        last = Some(heading.offset);
    }
    for chunk in AutoSplitter::characters(40).split(parsed) {
        prop_assert_eq!(&parsed.text[chunk.range.clone()], &chunk.text);
    }
    Ok(())
}
