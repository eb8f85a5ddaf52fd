//! JSON without panics.

use serde_json::Value;

/// Sets a member of an object; anything but an object stays as it is.
pub(crate) fn set(object: &mut Value, key: &str, value: impl Into<Value>) {
    if let Value::Object(map) = object {
        map.insert(key.to_owned(), value.into());
    }
}
