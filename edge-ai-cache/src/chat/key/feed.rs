use serde::ser::{self, Error as _, Serialize, Serializer};
use serde_json::Error;
use sha2::{Digest, Sha256};

/// The name under which `serde_json` hands over raw JSON. Should it ever take another one, white space would begin to count: a
/// repeated question would be a miss, and never would two questions get one key.
const RAW: &str = "$serde_json::private::RawValue";

/// Hashes a value as it serializes, without a copy of it.
///
/// Every value follows a mark of its kind, and what varies in length ends where it says, so that no two values feed the same
/// bytes. The fields of a struct come in the order of its declaration. A map has no order. Raw JSON counts as it was written,
/// down to the order of its fields and the digits of its numbers, but for white space between its tokens.
pub(super) fn feed(hash: &mut Sha256, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
    value.serialize(Feed { hash, raw: false })
}

/// A text after its length.
pub(super) fn text(hash: &mut Sha256, text: impl AsRef<[u8]>) {
    let text = text.as_ref();
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
}

/// JSON without the white space between its tokens.
fn json(hash: &mut Sha256, text: &str) {
    let (mut quoted, mut escaped) = (false, false);
    let runs = text.as_bytes().split(|byte| {
        if std::mem::take(&mut escaped) {
            return false;
        }
        match byte {
            b'"' => quoted = !quoted,
            b'\\' => escaped = quoted,
            b' ' | b'\t' | b'\r' | b'\n' => return !quoted,
            _ => {}
        }
        false
    });
    hash.update(b"r");
    runs.for_each(|run| hash.update(run));
    // No text contains this byte.
    hash.update([0xff]);
}

struct Feed<'a> {
    hash: &'a mut Sha256,
    /// The next text is JSON.
    raw: bool,
}

impl<'a> Feed<'a> {
    fn mark(self, mark: u8) -> Self {
        self.hash.update([mark]);
        self
    }

    fn bytes(self, mark: u8, bytes: &[u8]) -> Result<(), Error> {
        self.mark(mark).hash.update(bytes);
        Ok(())
    }

    fn integer(self, value: i128) -> Result<(), Error> {
        self.bytes(b'i', &value.to_le_bytes())
    }

    fn variant(self, name: &str) -> Self {
        let feed = self.mark(b'v');
        text(feed.hash, name);
        feed
    }

    fn list(self) -> Result<List<'a>, Error> {
        let Self { hash, .. } = self.mark(b'[');
        Ok(List { hash, raw: false })
    }
}

/// The numbers that fit into the widest.
macro_rules! integers {
    ($($name:ident($kind:ty))*) => {
        $(fn $name(self, value: $kind) -> Result<(), Error> {
            self.integer(value.into())
        })*
    };
}

impl<'a> Serializer for Feed<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = List<'a>;
    type SerializeTuple = List<'a>;
    type SerializeTupleStruct = List<'a>;
    type SerializeTupleVariant = List<'a>;
    type SerializeMap = Map<'a>;
    type SerializeStruct = List<'a>;
    type SerializeStructVariant = List<'a>;

    integers! {
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64) serialize_i128(i128)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
    }

    fn serialize_u128(self, value: u128) -> Result<(), Error> {
        self.bytes(b'u', &value.to_le_bytes())
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.mark(if value { b't' } else { b'f' });
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        self.bytes(b'd', &value.to_le_bytes())
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        if self.raw {
            json(self.hash, value);
        } else {
            text(self.mark(b's').hash, value);
        }
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        text(self.mark(b'b').hash, value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self.mark(b'1'))
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.mark(b'0');
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.variant(variant).serialize_unit()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self.variant(variant))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List<'a>, Error> {
        self.list()
    }

    fn serialize_tuple(self, _: usize) -> Result<List<'a>, Error> {
        self.list()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List<'a>, Error> {
        self.list()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<List<'a>, Error> {
        self.variant(variant).list()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Map<'a>, Error> {
        let Self { hash, .. } = self.mark(b'm');
        Ok(Map {
            hash,
            key: None,
            entries: Vec::new(),
        })
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<List<'a>, Error> {
        let Self { hash, .. } = self.mark(b'{');
        Ok(List {
            hash,
            raw: name == RAW,
        })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<List<'a>, Error> {
        self.variant(variant).serialize_struct("", length)
    }
}

/// Values one after the other, with or without names.
struct List<'a> {
    hash: &'a mut Sha256,
    raw: bool,
}

impl List<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(Feed {
            hash: self.hash,
            raw: self.raw,
        })
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Error> {
        self.hash.update(b",");
        text(self.hash, name);
        self.element(value)
    }

    /// No value begins with this mark.
    fn close(self) -> Result<(), Error> {
        self.hash.update(b"]");
        Ok(())
    }
}

macro_rules! lists {
    ($($name:ident::$method:ident($($label:ident)?) => $inner:ident)*) => {
        $(impl ser::$name for List<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, $($label: &'static str,)? value: &T) -> Result<(), Error> {
                self.$inner($($label,)? value)
            }

            fn end(self) -> Result<(), Error> {
                self.close()
            }
        })*
    };
}

lists! {
    SerializeSeq::serialize_element() => element
    SerializeTuple::serialize_element() => element
    SerializeTupleStruct::serialize_field() => element
    SerializeTupleVariant::serialize_field() => element
    SerializeStruct::serialize_field(name) => field
    SerializeStructVariant::serialize_field(name) => field
}

/// Entries in the order of their names' hashes; those of one name in the order in which they came.
struct Map<'a> {
    hash: &'a mut Sha256,
    key: Option<[u8; 32]>,
    entries: Vec<([u8; 32], [u8; 32])>,
}

impl ser::SerializeMap for Map<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key = Some(apart(key)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let key = self
            .key
            .take()
            .ok_or_else(|| Error::custom("a value without its key"))?;
        self.entries.push((key, apart(value)?));
        Ok(())
    }

    fn end(mut self) -> Result<(), Error> {
        self.entries.sort_by_key(|(key, _)| *key);
        self.hash.update((self.entries.len() as u64).to_le_bytes());
        for (key, value) in self.entries {
            self.hash.update(key);
            self.hash.update(value);
        }
        Ok(())
    }
}

/// The hash of one value alone.
fn apart(value: &(impl Serialize + ?Sized)) -> Result<[u8; 32], Error> {
    let mut hash = Sha256::new();
    feed(&mut hash, value)?;
    Ok(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::RawJson;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, HashSet};

    fn raw(json: &str) -> [u8; 32] {
        apart(&RawJson::parse(json).unwrap()).unwrap()
    }

    #[test]
    fn white_space_counts_in_strings_alone() {
        let spaced = "\r\n{ \"a b\" :\t[ 1 , \"\\\" x \\\\\" , { } ] }\n";
        assert_eq!(raw(spaced), raw(r#"{"a b":[1,"\" x \\",{}]}"#));
        assert_ne!(raw(spaced), raw(r#"{"a b":[1,"\"x \\",{}]}"#));
        assert_ne!(raw(spaced), raw(r#"{"ab":[1,"\" x \\",{}]}"#));
    }

    #[test]
    fn no_two_kinds_of_value_look_the_same() {
        #[derive(serde::Serialize)]
        enum Kind {
            Unit,
            Newtype([(); 1]),
            Tuple((), ()),
            Struct { a: () },
        }
        #[derive(serde::Serialize)]
        struct Fields<T> {
            a: T,
        }
        let map = |entries: &[(&str, u8)]| {
            let entries: BTreeMap<_, _> = entries.iter().copied().collect();
            apart(&entries).unwrap()
        };
        let hashes = [
            apart(&()),
            apart(&Some(())),
            apart(&Some(Some(()))),
            apart(&true),
            apart(&false),
            apart(&1_u8),
            apart(&-1_i64),
            apart(&u64::MAX),
            apart(&u128::MAX),
            apart(&1.0),
            apart(&"1"),
            apart(&""),
            apart(&["", ""]),
            apart(&[[""], [""]]),
            apart(&([(), ()], ())),
            apart(&((), [(), ()])),
            apart(&["ab", "c"]),
            apart(&["a", "bc"]),
            apart(&RawJson::parse("1").unwrap()),
            apart(&RawJson::parse("\"1\"").unwrap()),
            apart(&Kind::Unit),
            apart(&Kind::Newtype([()])),
            apart(&Kind::Tuple((), ())),
            apart(&Kind::Struct { a: () }),
            apart(&Fields { a: () }),
            apart(&Fields { a: "" }),
        ];
        let mut hashes: Vec<_> = hashes.into_iter().map(Result::unwrap).collect();
        hashes.extend([
            map(&[]),
            map(&[("a", 0)]),
            map(&[("a", 1)]),
            map(&[("a", 0), ("b", 1)]),
            map(&[("a", 1), ("b", 0)]),
        ]);
        assert_eq!(hashes.iter().collect::<HashSet<_>>().len(), hashes.len());
    }

    /// JSON text with white space between its tokens where `spaces` says so.
    fn spread(json: &str, mut spaces: impl Iterator<Item = &'static str>) -> String {
        let mut out = String::new();
        let (mut quoted, mut escaped) = (false, false);
        for char in json.chars() {
            let token = !quoted && "{}[]:,".contains(char);
            if token {
                out.push_str(spaces.next().unwrap_or_default());
            }
            out.push(char);
            if token {
                out.push_str(spaces.next().unwrap_or_default());
            }
            match char {
                _ if escaped => escaped = false,
                '\\' => escaped = quoted,
                '"' => quoted = !quoted,
                _ => {}
            }
        }
        out
    }

    fn values() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            r#"[ \t\n"\\{},:\[\]a]{0,6}"#.prop_map(Into::into),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::vec((r#"[ "\\:,a]{0,3}"#, inner), 0..4)
                    .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn white_space_between_tokens_never_counts(
            value in values(),
            spaces in prop::collection::vec(prop::sample::select(vec!["", " ", "\t", "\r\n", "  "]), 0..40),
        ) {
            let json = value.to_string();
            prop_assert_eq!(raw(&spread(&json, spaces.into_iter())), raw(&json));
        }

        #[test]
        fn other_json_is_another_hash(one in values(), other in values()) {
            prop_assert_eq!(one == other, raw(&one.to_string()) == raw(&other.to_string()));
        }
    }
}
