use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// What may be written as a mere list, or as an object that says more.
pub(super) enum ListOr<N, T> {
    List(Vec<N>),
    Object(T),
}

/// The schema of it.
#[cfg(feature = "schema")]
pub(super) fn list_or_schema<N: schemars::JsonSchema, T: schemars::JsonSchema>(
    generator: &mut schemars::SchemaGenerator,
) -> schemars::Schema {
    let list = generator.subschema_for::<Vec<N>>();
    // In its place: the object has no name of its own.
    let object = T::json_schema(generator);
    schemars::json_schema!({"anyOf": [list, object]})
}

/// By hand, since an error of an untagged enum does not say where it is.
pub(super) fn list_or<'de, D: Deserializer<'de>, N: Deserialize<'de>, T: Deserialize<'de>>(
    deserializer: D,
    expected: &'static str,
) -> Result<ListOr<N, T>, D::Error> {
    deserializer.deserialize_any(Expected(expected, PhantomData))
}

struct Expected<N, T>(&'static str, PhantomData<(N, T)>);

impl<'de, N: Deserialize<'de>, T: Deserialize<'de>> Visitor<'de> for Expected<N, T> {
    type Value = ListOr<N, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(ListOr::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(ListOr::Object)
    }
}
