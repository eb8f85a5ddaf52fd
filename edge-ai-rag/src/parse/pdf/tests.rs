use lopdf::content::{Content, Operation};
use lopdf::{Stream, StringFormat, dictionary};

use super::*;
use crate::DocumentId;

/// A PDF with a line of text on each page.
fn pdf(pages: &[&str]) -> Vec<u8> {
    let mut pdf = Pdf::with_version("1.5");
    let tree = pdf.new_object_id();
    let font = pdf.add_object(dictionary! {
        "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica", "Encoding" => "WinAnsiEncoding",
    });
    let resources = pdf.add_object(dictionary! { "Font" => dictionary! { "F1" => font } });
    let kids: Vec<Object> = pages
        .iter()
        .map(|line| {
            let mut operations = vec![
                Operation::new("BT", vec![]),
                Operation::new("Tf", vec!["F1".into(), 12.into()]),
                Operation::new("Td", vec![72.into(), 720.into()]),
            ];
            if !line.is_empty() {
                let text = Object::String(line.as_bytes().to_vec(), StringFormat::Literal);
                operations.push(Operation::new("Tj", vec![text]));
            }
            operations.push(Operation::new("ET", vec![]));
            let content = Content { operations }.encode().unwrap();
            let content = pdf.add_object(Stream::new(dictionary! {}, content));
            let page = pdf.add_object(dictionary! {
                "Type" => "Page", "Parent" => tree, "Contents" => content, "Resources" => resources,
                "MediaBox" => vec![0.into(), 0.into(), 612.into(), 792.into()],
            });
            page.into()
        })
        .collect();
    let count = i64::try_from(kids.len()).unwrap();
    pdf.objects.insert(
        tree,
        Object::Dictionary(dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count }),
    );
    let catalog = pdf.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    let information = pdf.add_object(dictionary! {
        "Title" => Object::string_literal("The manual"), "Author" => Object::string_literal("Ada"),
    });
    pdf.trailer.set("Root", catalog);
    pdf.trailer.set("Info", information);
    let mut bytes = Vec::new();
    pdf.save_to(&mut bytes).unwrap();
    bytes
}

fn read(bytes: Vec<u8>, limits: Limits) -> Result<ParsedDocument> {
    let document = Document::new(DocumentId::new("a.pdf").unwrap(), MediaType::PDF, bytes);
    PdfParser::new(limits).read(&document)
}

#[test]
fn text_comes_page_by_page() {
    let parsed = read(pdf(&["First page.", "Second page."]), Limits::default()).unwrap();
    let [first, second] = ["First page.", "Second page."].map(|words| parsed.text.find(words).unwrap());
    assert_eq!([first, second].map(|at| parsed.page_of(at)), [Some(1), Some(2)]);
    assert_eq!(parsed.title.as_deref(), Some("The manual"));
    assert_eq!(parsed.metadata["author"], "Ada");
    let chunks = crate::Splitter::split(&crate::RecursiveSplitter::characters(16), &parsed);
    assert_eq!(chunks[1].metadata["page"], 2);
}

#[test]
fn what_cannot_be_read_says_why() {
    let error = read(pdf(&["", ""]), Limits::default()).unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Unsupported, Some("scanned_pdf"))
    );
    let error = read(pdf(&["a", "b", "c"]), Limits::default().pages(2)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.message().contains("Limits::max_pages"));
    let error = read(b"%PDF-1.7 and nothing".to_vec(), Limits::default()).unwrap_err();
    assert_eq!(
        (error.kind(), error.param()),
        (ErrorKind::InvalidRequest, Some("body"))
    );
}

#[test]
fn an_encrypted_one_says_so() {
    let mut encrypted = Pdf::load_mem(&pdf(&["secret"])).unwrap();
    let id = Object::string_literal("0123456789abcdef");
    encrypted.trailer.set("ID", vec![id.clone(), id]);
    let version = lopdf::EncryptionVersion::V2 {
        document: &encrypted,
        owner_password: "owner",
        user_password: "user",
        key_length: 128,
        permissions: lopdf::Permissions::all(),
    };
    let state = lopdf::EncryptionState::try_from(version).unwrap();
    encrypted.encrypt(&state).unwrap();
    let mut bytes = Vec::new();
    encrypted.save_to(&mut bytes).unwrap();
    let error = read(bytes, Limits::default()).unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Unsupported, Some("encrypted_pdf")),
        "{error}"
    );
}

proptest::proptest! {
    #[test]
    fn a_damaged_one_is_read_or_refused(at in 0_usize..1_200, byte: u8, cut in 0_usize..1_500) {
        let mut bytes = pdf(&["First page.", "Second page."]);
        if let Some(damaged) = bytes.get_mut(at) {
            *damaged = byte;
        }
        bytes.truncate(cut);
        let _ = read(bytes, Limits::default());
    }
}
