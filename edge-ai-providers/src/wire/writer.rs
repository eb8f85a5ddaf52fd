use edge_ai_core::{Dialect, Extra, Result};
use serde::Serialize;

/// Writes one JSON object.
///
/// # Errors
/// What `fields` returns.
pub(crate) fn write_object(fields: impl FnOnce(&mut ObjectWriter<'_>) -> Result<()>) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(256);
    ObjectWriter::write(&mut out, fields)?;
    Ok(out)
}

/// The fields of an object under construction, in the order of the calls.
pub(crate) struct ObjectWriter<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl ObjectWriter<'_> {
    fn write(out: &mut Vec<u8>, fields: impl FnOnce(&mut ObjectWriter<'_>) -> Result<()>) -> Result<()> {
        out.push(b'{');
        fields(&mut ObjectWriter { out, empty: true })?;
        out.push(b'}');
        Ok(())
    }

    /// A field of any value that serde writes.
    pub(crate) fn field(&mut self, name: &str, value: impl Serialize) {
        self.name(name);
        put(self.out, &value);
    }

    /// The same, unless there is none.
    pub(crate) fn optional(&mut self, name: &str, value: Option<impl Serialize>) {
        if let Some(value) = value {
            self.field(name, value);
        }
    }

    /// A field whose value is JSON text already. The caller vouches for it.
    pub(crate) fn raw(&mut self, name: &str, json: &str) {
        self.name(name);
        self.out.extend_from_slice(json.as_bytes());
    }

    /// The same, of bytes that were written here before.
    pub(crate) fn json(&mut self, name: &str, json: &[u8]) {
        self.name(name);
        self.out.extend_from_slice(json);
    }

    /// Fields that were written here before, without the braces around them; none of them may be empty.
    pub(crate) fn rest(&mut self, fields: &str) {
        if !std::mem::take(&mut self.empty) {
            self.out.push(b',');
        }
        self.out.extend_from_slice(fields.as_bytes());
    }

    /// A field that is an object.
    ///
    /// # Errors
    /// What `fields` returns.
    pub(crate) fn object(
        &mut self,
        name: &str,
        fields: impl FnOnce(&mut ObjectWriter<'_>) -> Result<()>,
    ) -> Result<()> {
        self.name(name);
        ObjectWriter::write(self.out, fields)
    }

    /// A field that is an array.
    ///
    /// # Errors
    /// What `elements` returns.
    pub(crate) fn array(
        &mut self,
        name: &str,
        elements: impl FnOnce(&mut ArrayWriter<'_>) -> Result<()>,
    ) -> Result<()> {
        self.name(name);
        self.out.push(b'[');
        elements(&mut ArrayWriter {
            out: self.out,
            empty: true,
        })?;
        self.out.push(b']');
        Ok(())
    }

    /// The unknown fields that came in the same dialect.
    pub(crate) fn extra(&mut self, extra: &Extra, dialect: &Dialect) {
        for (name, value) in extra.fields_for(dialect) {
            self.raw(name, value.get());
        }
    }

    fn name(&mut self, name: &str) {
        if !std::mem::take(&mut self.empty) {
            self.out.push(b',');
        }
        put(self.out, &name);
        self.out.push(b':');
    }
}

/// The elements of an array under construction.
pub(crate) struct ArrayWriter<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl ArrayWriter<'_> {
    /// An element of any value that serde writes.
    pub(crate) fn value(&mut self, value: impl Serialize) {
        self.separate();
        put(self.out, &value);
    }

    /// An element that is an object.
    ///
    /// # Errors
    /// What `fields` returns.
    pub(crate) fn object(&mut self, fields: impl FnOnce(&mut ObjectWriter<'_>) -> Result<()>) -> Result<()> {
        self.separate();
        ObjectWriter::write(self.out, fields)
    }

    /// An element that was written here before.
    pub(crate) fn json(&mut self, json: &[u8]) {
        self.separate();
        self.out.extend_from_slice(json);
    }

    fn separate(&mut self) {
        if !std::mem::take(&mut self.empty) {
            self.out.push(b',');
        }
    }
}

/// What is written here are strings, numbers and lists of them, which always are JSON; `null` stands for what is not.
fn put(out: &mut Vec<u8>, value: &impl Serialize) {
    let before = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(before);
        out.extend_from_slice(b"null");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::RawJson;

    #[test]
    fn objects_are_written_in_order() {
        let dialect = Dialect::new("d");
        let extra = Extra::new(
            dialect.clone(),
            vec![("x".into(), RawJson::parse("1.10").unwrap())],
        );
        let text = write_object(|object| {
            object.field("b", "\"");
            object.optional("none", None::<u8>);
            object.array("a", |array| {
                array.value(1);
                array.object(|object| {
                    object.raw("r", "{ }");
                    Ok(())
                })
            })?;
            object.extra(&extra, &dialect);
            object.extra(&extra, &Dialect::new("other"));
            Ok(())
        })
        .unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            r#"{"b":"\"","a":[1,{"r":{ }}],"x":1.10}"#
        );
    }
}
